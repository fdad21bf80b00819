"""A digest of a plugin's source code: two runs of one name are of the same plugin only if their digests agree."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from pneumobench.authoring import registry
from pneumobench.authoring.discovery import FOLDER_PACKAGE, Entry
from pneumobench.authoring.recipe import Ensemble, Plugin
from pneumobench.utils.hashing import digest_of

BUILT_IN = ("pneumobench.plugins", "pneumobench.studies")


def digest(entry: Entry, plugin: Plugin) -> str:
    """16 hexadecimal digits over the code of a plugin and of the plugins that it imports, their hooks included.

    Docstrings, comments, formatting and the framework's own code are ignored. An ensemble's digest covers its
    members' digests.
    """
    code = modules_of(entry.module, entry.path).values()
    members = plugin.members if isinstance(plugin, Ensemble) else ()
    return digest_of([*code, *(digest(registry.find(name), registry.load(name)) for name in members)], 8)


def sources(entry: Entry, plugin: Plugin) -> dict[str, Path]:
    """The files that `digest` covers, by module."""
    modules = modules_of(entry.module, entry.path)
    files = {name: entry.path if name == entry.module else _file(name) for name in modules}
    for name in plugin.members if isinstance(plugin, Ensemble) else ():
        files |= sources(registry.find(name), registry.load(name))
    return {name: path for name, path in files.items() if path is not None}


def digest_of_module(module: str, path: Path) -> str:
    """The digest of a module and of the plugins that it imports."""
    return digest_of([*modules_of(module, path).values()], 8)


def modules_of(module: str, path: Path | None) -> dict[str, str]:
    """A module and the plugins that it imports, directly or not: name -> code without docstrings and comments."""
    modules, root = {module: path}, module
    waiting, code = list(modules), {}
    while waiting:
        module = waiting.pop()
        path = modules[module]
        if module in code or path is None or not path.is_file():
            continue
        tree = ast.parse(path.read_bytes())
        code[module] = ast.unparse(_without_docstrings(tree))
        for imported in _imported(tree, package=module.rpartition(".")[0]):
            if _is_plugins(imported, root):
                modules.setdefault(imported, _file(imported))
                waiting.append(imported)
    return code


def _is_plugins(module: str, root: str) -> bool:
    """Whether a module is a plugin, or belongs to the package that provides the plugin `root`."""
    tops = {*BUILT_IN} | ({root.partition(".")[0]} - {"pneumobench"})
    return module.startswith(FOLDER_PACKAGE) or any(module == top or module.startswith(f"{top}.") for top in tops)


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _file(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # `from package import value`: the value is not a module
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return tree
