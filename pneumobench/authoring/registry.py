"""Plugins and studies by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pneumobench.authoring.discovery import Catalog, Entry
from pneumobench.authoring.recipe import Plugin
from pneumobench.authoring.study import Study
from pneumobench.errors import unknown

PLUGINS = Catalog("plugins", "plugin", Plugin)
STUDIES = Catalog("studies", "study", Study)


def entries() -> dict[str, Entry]:
    """All plugins by name, sorted. Raises: UsageError if two share a name."""
    return PLUGINS.entries()


def find(name: str) -> Entry:
    """The entry of the plugin of this name. Raises: UsageError, with the nearest name, if there is none."""
    return PLUGINS.find(name)


def load(name: str) -> Plugin:
    """The plugin of this name. Raises: UsageError (unknown), PluginError (import fails, or no plugin in it)."""
    return PLUGINS.load(name)


def folder() -> Path | None:
    """The folder of the user's plugins, if any. Raises: UsageError if PNEUMOBENCH_PLUGINS does not name a folder."""
    return PLUGINS.folder()


def load_study(name: str) -> Study:
    """The study of this name. Raises: UsageError (unknown), PluginError (import fails, or no study in it)."""
    PLUGINS.open_folder()  # a study may import the user's plugins
    return STUDIES.load(name)


def listed_in(study: str) -> Mapping[str, str | Plugin]:
    """What a study lists by its own names: plugins by name, or as values of its file. Raises: as `load_study`."""
    listed = load_study(study).plugins
    return listed if isinstance(listed, Mapping) else {name: name for name in listed}


def plugin_in(study: str, name: str) -> tuple[Entry, Plugin]:
    """A plugin that a study lists, with the entry of the file that defines it. Raises: UsageError, PluginError."""
    listed = listed_in(study)
    if name not in listed:
        raise unknown(f"plugin in study '{study}'", name, listed)
    one = listed[name]
    return (find(one), load(one)) if isinstance(one, str) else (STUDIES.find(study), one)
