"""Name -> plugin."""

from __future__ import annotations

from pathlib import Path

from pneumobench.authoring import discovery
from pneumobench.authoring.discovery import Entry, Shelf
from pneumobench.authoring.recipe import Plugin

PLUGINS = Shelf("plugins", "plugin", Plugin)


def entries() -> dict[str, Entry]:
    """All plugins by name, sorted. Raises: UsageError where two have one name."""
    return PLUGINS.entries()


def find(name: str) -> Entry:
    """The entry of one name. Raises: UsageError, with the nearest name, where there is none."""
    return PLUGINS.find(name)


def load(name: str) -> Plugin:
    """The plugin of one name. Raises: UsageError (unknown), PluginError (import fails, or no plugin in it)."""
    return PLUGINS.load(name)


def folder() -> Path | None:
    """The folder of one's own plugins. Raises: UsageError where PNEUMOBENCH_PLUGINS names no folder."""
    return PLUGINS.folder()


def importable(module: str) -> str:
    """A module's name where any process with the same packages can import it; "" for a file of a folder."""
    return discovery.importable(module)
