"""A plugin that was made in a notebook: written to a file first, so that what is tracked is what is trained."""

from __future__ import annotations

import keyword
import sys
from pathlib import Path

from pneumobench.authoring import registry, replaced
from pneumobench.authoring.discovery import TAKEN
from pneumobench.authoring.recipe import Plugin
from pneumobench.authoring.written import module_of
from pneumobench.errors import UsageError
from pneumobench.utils import files

HOME = "__main__"  # the module of a notebook's cells


def named(plugin: str | Plugin, name: str | None, folder: Path) -> str:
    """The name under which a plugin is found: its own, or that of a value, which is written to a file of `folder`.

    The file can be kept: in a folder of plugins it is a plugin like any other. The same name may be used again, as a
    cell is run again. Raises: UsageError for a missing, invalid or taken name, PluginError for what no file can hold.
    """
    if isinstance(plugin, str):
        if name is not None:
            raise UsageError(f"a plugin that is given by its name keeps it: '{plugin}', not '{name}'")
        return plugin
    path = (folder / f"{_checked(name)}.py").absolute()
    module = f"{registry.PLUGINS.folder_package}.{name}"
    if name in registry.entries() and replaced.FILES.get(module) != path:
        raise UsageError(f"a plugin named '{name}' already exists; give this one another name")
    text = module_of(plugin, str(name), HOME)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        files.write_text(path, text)
    sys.modules.pop(module, None)
    replaced.keep(module, path)
    return str(name)


def _checked(name: str | None) -> str:
    if not name:
        raise UsageError('a plugin that is a value takes a name: run(plugin, name="mine")')
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_") or name in TAKEN:
        raise UsageError(f"a plugin's name is a valid module name that no library has, such as my_plugin, not '{name}'")
    return name
