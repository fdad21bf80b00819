"""Name -> plugin, name -> study."""

from __future__ import annotations

from pathlib import Path

from pneumobench.authoring.discovery import Entry, Shelf
from pneumobench.authoring.recipe import Plugin
from pneumobench.authoring.study import Study

PLUGINS = Shelf("plugins", "plugin", Plugin)
STUDIES = Shelf("studies", "study", Study)


def entries() -> dict[str, Entry]:
    """All plugins by name, sorted. Raises: UsageError where two have one name."""
    return PLUGINS.entries()


def find(name: str) -> Entry:
    """The entry of a plugin's name. Raises: UsageError, with the nearest name, where there is none."""
    return PLUGINS.find(name)


def load(name: str) -> Plugin:
    """The plugin of a name. Raises: UsageError (unknown), PluginError (import fails, or no plugin in it)."""
    return PLUGINS.load(name)


def folder() -> Path | None:
    """The folder of the user's plugins. Raises: UsageError where PNEUMOBENCH_PLUGINS names no folder."""
    return PLUGINS.folder()


def load_study(name: str) -> Study:
    """The study of a name. Raises: UsageError (unknown), PluginError (import fails, or no study in it)."""
    PLUGINS.open_folder()  # a study may make variants of the user's plugins
    return STUDIES.load(name)
