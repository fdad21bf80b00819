"""Values of one kind by name: files of a folder and entry points, listed without importing any of them."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import keyword
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from pneumobench.errors import PluginError, UsageError, unknown

FOLDER_PACKAGE = "pneumobench_folder_"  # with a shelf's name: the package that its folder's files are modules of


@dataclass(frozen=True)
class Entry:
    """Where a value is, and what its docstring's first line says; nothing of it is imported."""

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
    return "" if module.startswith(FOLDER_PACKAGE) else module


@dataclass(frozen=True)
class Shelf:
    """Where values of one kind lie: "plugins" of the package, of a folder, and of installed distributions.

    `kind` is what a file's value is called, "plugin"; `types` what it may be.
    """

    name: str
    kind: str
    types: Any

    @property
    def package(self) -> str:
        """The package of the built-in ones, and the group of the entry points."""
        return f"pneumobench.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that names a folder."""
        return f"PNEUMOBENCH_{self.name.upper()}"

    @property
    def default_folder(self) -> Path:
        """The folder of one's own where none is named."""
        return Path(self.name)

    @property
    def folder_package(self) -> str:
        """The package that the folder's files are modules of."""
        return FOLDER_PACKAGE + self.name

    def entries(self) -> dict[str, Entry]:
        """All of them by name, sorted. Raises: UsageError where two have one name."""
        found: dict[str, Entry] = {}
        for entry in (*self._built_in(), *self._from_folder(), *self._installed()):
            other = found.setdefault(entry.name, entry)
            if other is not entry:
                raise UsageError(
                    f"two {self.name} are named '{entry.name}': {other.path or other.module} ({other.origin}) and "
                    f"{entry.path or entry.module} ({entry.origin}); rename one"
                )
        return dict(sorted(found.items()))

    def find(self, name: str) -> Entry:
        """The entry of one name. Raises: UsageError, with the nearest name, where there is none."""
        known = self.entries()
        if name not in known:
            raise unknown(self.kind, name, known)
        return known[name]

    def load(self, name: str) -> Any:
        """The value of one name. Raises: UsageError (unknown), PluginError (import fails, or no such value in it)."""
        entry = self.find(name)
        where = f"{self.kind} '{name}' ({entry.path or entry.module})"
        try:
            value = getattr(self._import(entry), entry.attribute, None)
        except Exception as error:
            raise PluginError(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
        kinds = get_args(self.types) or (self.types,)
        if not isinstance(value, kinds):
            names = ", ".join(kind.__name__ for kind in kinds)
            law = f"a value named `{entry.attribute}` that is {'one of ' if len(kinds) > 1 else 'a '}{names}"
            raise PluginError(f"{where} must hold {law}; found {type(value).__name__}")
        return value

    def folder(self) -> Path | None:
        """The folder of one's own: what the variable names, else the default one here, if there is one.

        Raises: UsageError where the variable names no folder.
        """
        named = os.environ.get(self.variable)
        if named and not Path(named).expanduser().is_dir():
            raise UsageError(f"{self.variable} (--{self.name}-dir) is not a folder: {named}")
        own = Path(named).expanduser().resolve() if named else self.default_folder.resolve()
        return own if own.is_dir() and own not in self._built_in_folders() else None

    def free(self, name: str, folder: Path | None = None) -> Path:
        """Where a new file of this name belongs: in `folder`, else in the folder of one's own.

        Raises: UsageError for a name that cannot be a module, or is taken.
        """
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise UsageError(f"a {self.kind}'s name is that of a Python module, such as my_{self.kind}, not '{name}'")
        taken = self.entries().get(name)
        if taken:
            where = f"{taken.path or taken.module} ({taken.origin})"
            raise UsageError(f"a {self.kind} named '{name}' is there already: {where}")
        path = (folder or self.folder() or self.default_folder) / f"{name}.py"
        if path.is_absolute() and path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
        if path.exists():
            raise UsageError(f"{path} is there already")
        return path

    def _built_in_folders(self) -> list[Path]:
        spec = importlib.util.find_spec(self.package)
        return [Path(path).resolve() for path in (spec and spec.submodule_search_locations) or ()]

    def _built_in(self) -> Iterator[Entry]:
        for built_in in self._built_in_folders():
            for path in _files(built_in):
                yield Entry(path.stem, f"{self.package}.{path.stem}", "built-in", path, self.kind)

    def _from_folder(self) -> Iterator[Entry]:
        own = self.folder()
        for path in _files(own) if own else ():
            yield Entry(path.stem, f"{self.folder_package}.{path.stem}", str(path.parent), path, self.kind)

    def _installed(self) -> Iterator[Entry]:
        for point in metadata.entry_points(group=self.package):
            origin = point.dist.name if point.dist else "installed"
            yield Entry(point.name, point.module, origin, _source(point.module), point.attr or self.kind)

    def open_folder(self) -> None:
        """Make a package of the folder's files, so that they can be imported by absolute names."""
        own = self.folder()
        if own is not None:
            package = sys.modules.setdefault(self.folder_package, ModuleType(self.folder_package))
            package.__path__ = [str(own)]

    def _import(self, entry: Entry) -> Any:
        self.open_folder()
        return importlib.import_module(entry.module)


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
