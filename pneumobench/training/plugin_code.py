"""The plugin's code that a saved model needs, such as its own layers: recorded with the model, imported to load it."""

from __future__ import annotations

import inspect
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.digest import digest_of_module, modules_of
from pneumobench.authoring.discovery import FOLDER_PACKAGE, Catalog, Entry, importable
from pneumobench.errors import PluginError
from pneumobench.training import backend

CATALOGS = (registry.PLUGINS, registry.STUDIES)  # a study's file may define plugins of its own
LAMBDA = "a lambda"
# where Keras looks for its own functions by name
KERAS = ("activations", "constraints", "initializers", "losses", "metrics", "ops", "random", "regularizers")


def record(module: str) -> dict[str, str]:
    """What a model's card says of its plugin: module, file, and a digest of the code."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    code = digest_of_module(module, Path(file)) if file else ""
    return {"plugin_module": module, "plugin_file": file, "plugin_code": code}


def custom_objects(network: Path) -> set[str]:
    """The names of a `.keras` file's layers and functions that Keras itself does not have; LAMBDA for lambdas."""
    with zipfile.ZipFile(network) as archive:
        return custom_in(json.loads(archive.read("config.json")))


def custom_in(config: Any) -> set[str]:
    """The same of a network's configuration."""
    return set(_custom(config))


def provide(card: Mapping[str, Any], needed: Iterable[str]) -> tuple[str, ...]:
    """Import the plugin of a card for the objects `needed` of it; returns the names of the modules of its code.

    A plugin of the user's folder is imported only where something is needed, and from that folder alone: a card
    could name any file, so neither the file that it names nor the source that was tracked with the run is executed.
    Raises: PluginError if the plugin is not found or cannot be imported.
    """
    module, needed = card["plugin_module"], sorted(needed)
    if not module or (not importable(module) and not needed):
        return ()
    place = _find(module)
    if place is None:
        raise PluginError(_missing(card, needed))
    catalog, entry = place
    try:
        registry.PLUGINS.open_folder()  # a study's file may import the user's plugins
        home = catalog.import_entry(entry) if module == entry.module else import_module(module)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise PluginError(f"this model needs its plugin, {module}, to be installed: {reason}") from error
    modules = tuple(modules_of(module, Path(home.__file__))) if needed and home.__file__ else (module,)
    for imported in modules:  # some are imported inside hooks only
        with suppress(ImportError):
            import_module(imported)
    return modules


def has_changed(card: Mapping[str, Any]) -> bool:
    """Whether the plugin of a card, which is imported, has other code than when the model was saved."""
    recorded = card.get("plugin_code")
    return bool(recorded) and recorded != record(card["plugin_module"])["plugin_code"]


def defined(modules: Iterable[str], name: str) -> bool:
    """Whether a class or function, by full name, is defined at the top of one of these modules."""
    where, _, attribute = name.rpartition(".")
    value = getattr(sys.modules.get(where), attribute, None)
    return where in set(modules) and getattr(value, "__module__", None) == where


@contextmanager
def registered(modules: Iterable[str], needed: Iterable[str]) -> Iterator[None]:
    """While the block runs, Keras knows the objects of these modules, and none of other plugins.

    Two plugins may register different layers under one name, of which Keras keeps the last. Objects that are defined
    inside a function are not known either, as no other process would know them.
    Raises: PluginError for objects `needed` that nothing defines.
    """
    known = backend.keras().saving.get_custom_objects()
    before, own = dict(known), _own(set(modules), set(needed))
    try:
        known.clear()
        known.update({name: value for name, value in before.items() if not _is_of_plugin(value)} | own)
        if missing := sorted(name for name in needed if name not in known and name != LAMBDA):
            raise PluginError(
                f"{', '.join(missing)} cannot be found again: a layer or function of a plugin's own is defined at the "
                "top of the plugin's file, outside any function"
            )
        yield
    finally:
        known.clear()
        known.update(before)


def _own(modules: set[str], needed: set[str]) -> dict[str, Any]:
    """The classes and functions defined at the top of these modules by the names that Keras saves them under.

    Plain names are limited to those needed: Keras would take any text in a configuration for such a name.
    """
    name_of, own = backend.keras().saving.get_registered_name, {}
    for module in modules & set(sys.modules):
        for value in vars(sys.modules[module]).values():
            if (isinstance(value, type) or inspect.isfunction(value)) and value.__module__ in modules:
                name = name_of(value)
                if ">" in name or name in needed:
                    own[name] = value
    return own


def _is_of_plugin(value: Any) -> bool:
    module = getattr(value, "__module__", "") or ""
    return module.startswith((FOLDER_PACKAGE, "pneumobench.")) or "<locals>" in getattr(value, "__qualname__", "")


def _find(module: str) -> tuple[Catalog, Entry] | None:
    """The entry whose module it is, or whose package holds it: a card must not be able to import arbitrary code."""
    for catalog in CATALOGS:
        for entry in catalog.entries().values():
            top = entry.module.partition(".")[0]
            is_part = importable(module) and top not in ("pneumobench", "") and module.startswith(f"{top}.")
            if module == entry.module or is_part:
                return catalog, entry
    return None


def _missing(card: Mapping[str, Any], needed: list[str]) -> str:
    module = card["plugin_module"]
    if importable(module):
        return f"this model needs its plugin, {module}, to be installed: no plugin is of that module"
    file = Path(card.get("plugin_file") or f"{module.rpartition('.')[2]}.py")
    kind = next((catalog for catalog in CATALOGS if module.startswith(f"{catalog.folder_package}.")), CATALOGS[0])
    return (
        f"this model needs {', '.join(needed)} of its plugin's file {file.name}, which is not among the "
        f"{kind.name} here; it was {file}: {kind.variable} (--{kind.name}-dir) names its folder"
    )


def _custom(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        module, kind, inner = str(value.get("module") or ""), value.get("class_name"), value.get("config")
        if kind == "__lambda__":
            yield LAMBDA
        elif kind == "function" and isinstance(inner, str):
            if not any(hasattr(getattr(backend.keras(), where), inner) for where in KERAS):
                yield inner
        elif "registered_name" in value and module.partition(".")[0] not in ("keras", "builtins"):
            yield value["registered_name"] or str(kind)
        for item in value.values():
            yield from _custom(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _custom(item)
