"""Which layout a folder has: the one that is named, else the one that calls the folder its own."""

from __future__ import annotations

from pathlib import Path

from pneumobench.authoring.discovery import Catalog, Entry
from pneumobench.data.layout import Layout, Listing, Reading
from pneumobench.errors import PluginError, UsageError

LAYOUTS = Catalog("layouts", "layout", Layout, built_in="pneumobench.data.layouts")
FALLBACK = "kermany"  # whose errors say what a folder lacks
PLAIN = Reading()


def entries() -> dict[str, Entry]:
    """All layouts by name, sorted; none is imported. Raises: UsageError if two share a name."""
    return {name.replace("_", "-"): entry for name, entry in LAYOUTS.entries().items()}


def load(name: str) -> Layout:
    """The layout of this name. Raises: UsageError (unknown), PluginError (import fails, or no layout in it)."""
    return LAYOUTS.load(name.replace("-", "_"))


def layout_of(path: Path, reading: Reading = PLAIN) -> str:
    """The name of the layout that reads a folder or a file: the one asked for, else the only one of the highest
    priority that calls it its own and takes the options given, else that of Kermany's release.

    Raises: UsageError where two call it their own, or the layout asked for does not take an option.
    """
    if reading.layout:
        _check(reading.layout, load(reading.layout), reading)
        return reading.layout
    owners: dict[str, Layout] = {}
    takers: list[str] = []
    for name in entries():
        try:
            layout = load(name)
        except PluginError:  # another's, and broken: `data layouts check` says how
            continue
        if all(option in layout.takes for option in reading.given):
            takers.append(name)
            if layout.is_own(path):
                owners[name] = layout
    best = [name for name, layout in owners.items() if layout.priority == max(o.priority for o in owners.values())]
    if len(best) > 1:
        raise UsageError(f"{path} looks like {' and '.join(best)}; choose one with --layout")
    if not best and reading.given:
        best = ["manifest" if path.is_file() or "folders" not in takers else "folders"]
    return best[0] if best else FALLBACK


def read(path: Path, reading: Reading = PLAIN) -> Listing:
    """The images of a folder or a file, listed by its layout. Raises: UsageError, or DataError as the layout does."""
    return load(layout_of(path, reading)).read(path, reading)


def _check(name: str, layout: Layout, reading: Reading) -> None:
    for option in reading.given:
        if option not in layout.takes:
            raise UsageError(f"--{option} says nothing to the layout {name}; it is for manifests and class folders")
