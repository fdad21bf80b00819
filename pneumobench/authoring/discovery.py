"""Plugins and studies by name: files of a folder and entry points, listed without importing any of them."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import keyword
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from pneumobench.authoring import replaced
from pneumobench.authoring.guard import guarded
from pneumobench.errors import PluginError, UsageError, one_line, unknown

FOLDER_PACKAGE = "pneumobench_folder_"  # plus a catalog's name: the package of the user's files

# a file of these names would be imported in their place wherever its folder comes first in Python's path
TAKEN = frozenset(sys.stdlib_module_names) | frozenset(
    ("albumentations", "cv2", "keras", "mlflow", "numpy", "optuna", "pandas", "pneumobench", "sklearn", "tensorflow")
)


@dataclass(frozen=True)
class Entry:
    """Where a plugin or a study is defined, and the first line of its docstring; nothing is imported."""

    name: str
    module: str
    origin: str  # "built-in", a folder, or the distribution that provides it
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
    """The module's name if any process with the same packages can import it; "" for a file of the user's folder."""
    return "" if module.startswith(FOLDER_PACKAGE) else module


@dataclass(frozen=True)
class Catalog:
    """The plugins (or the studies, or the layouts) of the package, the user's folder, and installed distributions.

    `name` is "plugins"; `kind`, "plugin", is the variable that a file must define; `types` are its allowed types;
    `built_in` is the package of the built-in ones, if that is not called like the entry-point group.
    """

    name: str
    kind: str
    types: Any
    built_in: str = ""

    @property
    def group(self) -> str:
        """The entry-point group."""
        return f"pneumobench.{self.name}"

    @property
    def package(self) -> str:
        """The package of the built-in ones."""
        return self.built_in or self.group

    @property
    def variable(self) -> str:
        """The environment variable that names the user's folder."""
        return f"PNEUMOBENCH_{self.name.upper()}"

    @property
    def default_folder(self) -> Path:
        """The user's folder if none is named."""
        return Path(self.name)

    @property
    def folder_package(self) -> str:
        """The package whose modules are the files of the user's folder."""
        return FOLDER_PACKAGE + self.name

    def entries(self) -> dict[str, Entry]:
        """All entries by name, sorted. Raises: UsageError if two share a name."""
        entries: dict[str, Entry] = {}
        for entry in (*self._built_in(), *self._from_folder(), *self._installed(), *self._stand_ins()):
            entry = replace(entry, path=replaced.FILES.get(entry.module, entry.path))
            first = entries.setdefault(entry.name, entry)
            if first is not entry and first.module != entry.module:
                raise UsageError(
                    f"two {self.name} are named '{entry.name}': {first.path or first.module} ({first.origin}) and "
                    f"{entry.path or entry.module} ({entry.origin}); rename one"
                )
        return dict(sorted(entries.items()))

    def find(self, name: str) -> Entry:
        """The entry of this name. Raises: UsageError, with the nearest name, if there is none."""
        known = self.entries()
        if name not in known:
            raise unknown(self.kind, name, known)
        return known[name]

    def load(self, name: str) -> Any:
        """The plugin or study of this name. Raises: UsageError (unknown), PluginError (import fails, or none in it)."""
        entry = self.find(name)
        where = f"{self.kind} '{name}' ({entry.path or entry.module})"
        if entry.module.startswith(FOLDER_PACKAGE) and name in TAKEN:
            raise PluginError(
                f"{where} has the name of a module that others import; rename the file, to my_{name}.py say"
            )
        value = getattr(self.import_entry(entry), entry.attribute, None)
        kinds = get_args(self.types) or (self.types,)
        if not isinstance(value, kinds):
            names = ", ".join(kind.__name__ for kind in kinds)
            rule = f"a value named `{entry.attribute}` that is {'one of ' if len(kinds) > 1 else 'a '}{names}"
            raise PluginError(f"{where} must define {rule}; found {type(value).__name__}")
        return value

    def import_entry(self, entry: Entry) -> ModuleType:
        """The module of an entry. Raises: PluginError if it cannot be imported."""
        where = f"{self.kind} '{entry.name}' ({entry.path or entry.module})"
        self.open_folder()
        try:
            with guarded(where):
                return importlib.import_module(entry.module)
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(f"{where} cannot be imported: {one_line(error)}") from error

    def folder(self) -> Path | None:
        """The user's folder: what the environment variable names, else the default one if it exists.

        Raises: UsageError if the variable does not name a folder.
        """
        named = os.environ.get(self.variable)
        if named and not Path(named).expanduser().is_dir():
            raise UsageError(f"{self.variable} (--{self.name}-dir) is not a folder: {named}")
        folder = Path(named).expanduser().resolve() if named else self.default_folder.resolve()
        return folder if folder.is_dir() and folder not in self._built_in_folders() else None

    def free(self, name: str, folder: Path | None = None) -> Path:
        """The path for a new file of this name: in `folder`, else in the user's folder.

        Raises: UsageError for a name that is not a valid module name, or is taken.
        """
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise UsageError(f"a {self.kind}'s name is a valid module name, such as my_{self.kind}, not '{name}'")
        if name in TAKEN:
            raise UsageError(f"'{name}' is the name of a module that others import; take another, such as my_{name}")
        taken = self.entries().get(name)
        if taken:
            where = f"{taken.path or taken.module} ({taken.origin})"
            raise UsageError(f"a {self.kind} named '{name}' already exists: {where}")
        path = (folder or self.folder() or self.default_folder) / f"{name}.py"
        if path.is_absolute() and path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
        if path.exists():
            raise UsageError(f"{path} already exists")
        return path

    def _built_in_folders(self) -> list[Path]:
        spec = importlib.util.find_spec(self.package)
        return [Path(path).resolve() for path in (spec and spec.submodule_search_locations) or ()]

    def _built_in(self) -> Iterator[Entry]:
        for built_in in self._built_in_folders():
            for path in _files(built_in):
                yield Entry(path.stem, f"{self.package}.{path.stem}", "built-in", path, self.kind)

    def _from_folder(self) -> Iterator[Entry]:
        folder = self.folder()
        for path in _files(folder) if folder else ():
            yield Entry(path.stem, f"{self.folder_package}.{path.stem}", str(path.parent), path, self.kind)

    def _installed(self) -> Iterator[Entry]:
        for point in _entry_points(self.group):
            origin = point.dist.name if point.dist else "installed"
            yield Entry(point.name, point.module, origin, _source(point.module), point.attr or self.kind)

    def _stand_ins(self) -> Iterator[Entry]:
        """The user's or built-in ones that exist only as files that stand in for them."""
        for module, path in replaced.FILES.items():
            package, _, name = module.rpartition(".")
            if package in (self.folder_package, self.package):
                yield Entry(name, module, "restored", path, self.kind)

    def open_folder(self) -> None:
        """Make the user's folder a package, so that its files can be imported by absolute names."""
        folder = self.folder()
        if folder is not None or any(name.startswith(f"{self.folder_package}.") for name in replaced.FILES):
            package = sys.modules.setdefault(self.folder_package, ModuleType(self.folder_package))
            package.__path__ = [str(folder)] if folder else []


@cache
def _entry_points(group: str) -> metadata.EntryPoints:
    """Those of all installed packages, whose metadata are read once a process."""
    return metadata.entry_points(group=group)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith(("_", ".")):
            yield path


def _source(module: str) -> Path | None:
    """The file of a module, located from its top-level package without importing any parent package."""
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
