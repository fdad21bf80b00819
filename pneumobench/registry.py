"""Name -> plugin: files of a folder and entry points, listed without importing any of them."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from pneumobench.errors import PluginError, UsageError, unknown
from pneumobench.recipe import Plugin

GROUP = "pneumobench.plugins"
FOLDER_VARIABLE = "PNEUMOBENCH_PLUGINS"
FOLDER_PACKAGE = "pneumobench_folder_plugins"
DEFAULT_FOLDER = Path("plugins")


@dataclass(frozen=True)
class Entry:
    """Where a plugin is, and what its docstring's first line says; nothing of it is imported."""

    name: str
    module: str
    origin: str  # "built-in", a folder, or the distribution that brings it
    path: Path | None
    attribute: str = "plugin"

    @property
    def summary(self) -> str:
        """The first line of the file's docstring, read without running the file."""
        if self.path is None:
            return ""
        try:
            text = ast.get_docstring(ast.parse(self.path.read_bytes()))
        except (OSError, SyntaxError, ValueError) as error:
            return f"cannot be read: {error}"
        return (text or "").strip().partition("\n")[0]


def importable(module: str) -> str:
    """A module's name where any process with the same packages can import it; "" for a file of a folder."""
    return "" if module.startswith(f"{FOLDER_PACKAGE}.") else module


def entries() -> dict[str, Entry]:
    """All plugins by name, sorted. Raises: UsageError where two have one name."""
    found: dict[str, Entry] = {}
    for entry in (*_built_in(), *_from_folder(), *_installed()):
        other = found.setdefault(entry.name, entry)
        if other is not entry:
            raise UsageError(
                f"two plugins are named '{entry.name}': {other.path or other.module} ({other.origin}) and "
                f"{entry.path or entry.module} ({entry.origin}); rename one"
            )
    return dict(sorted(found.items()))


def find(name: str) -> Entry:
    """The entry of one name. Raises: UsageError, with the nearest name, where there is none."""
    known = entries()
    if name not in known:
        raise unknown("plugin", name, known)
    return known[name]


def load(name: str) -> Plugin:
    """The plugin of one name. Raises: UsageError (unknown), PluginError (import fails, or no plugin in it)."""
    entry = find(name)
    try:
        plugin = getattr(_import(entry), entry.attribute, None)
    except Exception as error:
        raise PluginError(
            f"plugin '{name}' ({entry.path or entry.module}) cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(plugin, get_args(Plugin)):
        kinds = ", ".join(kind.__name__ for kind in get_args(Plugin))
        raise PluginError(
            f"plugin '{name}' ({entry.path or entry.module}) must hold a value named "
            f"`{entry.attribute}` that is one of {kinds}; found {type(plugin).__name__}"
        )
    return plugin


def _built_in_folders() -> list[Path]:
    spec = importlib.util.find_spec("pneumobench.plugins")
    return [Path(path).resolve() for path in (spec and spec.submodule_search_locations) or ()]


def _built_in() -> Iterator[Entry]:
    for built_in in _built_in_folders():
        for path in _files(built_in):
            yield Entry(path.stem, f"pneumobench.plugins.{path.stem}", "built-in", path)


def folder() -> Path | None:
    """The folder of one's own plugins: what PNEUMOBENCH_PLUGINS names, else `plugins` here, if there is one.

    Raises: UsageError where the variable names no folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named and not Path(named).expanduser().is_dir():
        raise UsageError(f"{FOLDER_VARIABLE} (--plugins-dir) is not a folder: {named}")
    own = Path(named).expanduser().resolve() if named else DEFAULT_FOLDER.resolve()
    return own if own.is_dir() and own not in _built_in_folders() else None


def _from_folder() -> Iterator[Entry]:
    own = folder()
    for path in _files(own) if own else ():
        yield Entry(path.stem, f"{FOLDER_PACKAGE}.{path.stem}", str(path.parent), path)


def _installed() -> Iterator[Entry]:
    for point in metadata.entry_points(group=GROUP):
        origin = point.dist.name if point.dist else "installed"
        yield Entry(point.name, point.module, origin, _source(point.module), point.attr or "plugin")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith(("_", ".")):
            yield path


def _source(module: str) -> Path | None:
    """The file of a module, found beside its top package without importing a parent package."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin else None
    for folder in spec.submodule_search_locations or ():
        base = Path(folder).joinpath(*rest)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


def _import(entry: Entry) -> Any:
    if not importable(entry.module) and entry.path is not None:
        # a package for the folder's files, so that one plugin can import another by its absolute name
        package = sys.modules.setdefault(FOLDER_PACKAGE, ModuleType(FOLDER_PACKAGE))
        package.__path__ = [str(entry.path.parent)]
    return importlib.import_module(entry.module)
