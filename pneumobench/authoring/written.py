"""Source text of values and functions that were made in a notebook or a console, as a module that makes them again."""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from pneumobench.errors import PluginError

PLAIN = (int, float, str, bytes, bool, type(None))
PUBLIC = "pneumobench"
INFINITE = float("inf")


class Module:
    """The text of a module, gathered: imports, then functions, classes and constants in the order of their need."""

    def __init__(self, home: str):
        """`home` is the module whose functions are written out, `__main__` say; those of others are imported."""
        self._home = home
        self._imports: dict[str, None] = {}
        self._defined: dict[str, str] = {}

    def text(self) -> str:
        """Everything that `expression` has needed so far."""
        return "\n".join(sorted(self._imports)) + "\n\n\n" + "\n\n\n".join(self._defined.values())

    def expression(self, value: Any, where: str) -> str:
        """Text that makes the value again. Raises: PluginError, naming `where`, for one that no text makes."""
        if isinstance(value, PLAIN):
            return repr(value) if value not in (INFINITE, -INFINITE) else f"float('{value}')"
        if isinstance(value, partial):
            self._imports["from functools import partial"] = None
            arguments = [self.expression(one, where) for one in (value.func, *value.args)]
            named = [f"{name}={self.expression(one, where)}" for name, one in value.keywords.items()]
            return f"partial({', '.join([*arguments, *named])})"
        if isinstance(value, list | tuple | set | frozenset | dict):
            return self._container(value, where)
        if isinstance(value, FunctionType | type):
            return self._named(value, where)
        if is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(value, where)
        raise PluginError(
            f"{where} is {_article(type(value).__name__)}, which no source text makes again; make it inside a function"
        )

    def _container(self, value: Any, where: str) -> str:
        if isinstance(value, dict):
            pairs = (f"{self.expression(k, where)}: {self.expression(v, where)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        texts = [self.expression(one, where) for one in value]
        items = ", ".join(sorted(texts) if isinstance(value, set | frozenset) else texts)
        if isinstance(value, tuple):
            return f"({items},)" if len(value) == 1 else f"({items})"
        return f"[{items}]" if isinstance(value, list) else f"{type(value).__name__}([{items}])"

    def _dataclass(self, value: Any, where: str) -> str:
        kind = self._named(type(value), where)
        given = []
        for field in fields(value):
            own = getattr(value, field.name)
            default = field.default if field.default_factory is MISSING else field.default_factory()
            if own is not default and own != default:
                given.append(f"{field.name}={self.expression(own, f'{where}.{field.name}')}")
        return f"{kind}({', '.join(given)})"

    def _named(self, value: FunctionType | type, where: str) -> str:
        """The name of a function or a class, once it is imported or its source is there."""
        module, name = value.__module__, value.__qualname__
        if module == self._home:
            self._write(value, where)
            return name
        if value is getattr(builtins, name, None):
            return name
        if value is getattr(importlib.import_module(PUBLIC), name, None):
            module = PUBLIC
        elif "." in name or getattr(importlib.import_module(module), name, None) is not value:
            raise PluginError(
                f"{where} is {name} of {module}, which cannot be imported from there; define it with `def`"
            )
        alias = f"{module.rpartition('.')[2]}_{name}" if module != PUBLIC else name
        self._imports[f"from {module} import {name}" + (f" as {alias}" if alias != name else "")] = None
        return alias

    def _write(self, value: FunctionType | type, where: str) -> None:
        name = value.__qualname__
        if name in self._defined:
            return
        node, text = _source(value, where)
        self._defined[name] = ""  # a function may call itself
        namespace = value.__globals__ if isinstance(value, FunctionType) else _namespace(self._home)
        for used in dict.fromkeys(_free(node)):
            if used in namespace and used not in self._defined and used != name:
                self._use(used, namespace, f"`{used}`, which {name} uses,")
        del self._defined[name]
        self._defined[name] = text

    def _use(self, name: str, namespace: Mapping[str, Any], where: str) -> None:
        """Give the name of a notebook the same meaning in the text."""
        value = namespace[name]
        if isinstance(value, ModuleType):
            self._imports[f"import {value.__name__}" + (f" as {name}" if value.__name__ != name else "")] = None
            return
        own = self.expression(value, where)
        if own != name:
            self._defined[name] = f"{name} = {own}"


def _source(value: FunctionType | type, where: str) -> tuple[ast.stmt, str]:
    """The statement that defines a function or a class, and its text with decorators."""
    name = value.__qualname__
    for file in _files(value):
        lines = linecache.getlines(file)
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            continue
        kinds = (ast.FunctionDef, ast.ClassDef)
        for node in reversed(tree.body):
            if isinstance(node, kinds) and node.name == name:
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                return node, "".join(lines[first - 1 : node.end_lineno]).rstrip()
    kind = "a lambda" if "<lambda>" in name else name
    raise PluginError(
        f"{where} is {kind}, whose source is not to be had; define it with `def` or `class` at the top of a cell"
    )


def _files(value: FunctionType | type) -> Iterator[str]:
    """The files, or cells, that may define it, the likeliest first."""
    if isinstance(value, FunctionType):
        yield value.__code__.co_filename
        return
    methods = (one for one in vars(value).values() if isinstance(one, FunctionType))
    yield from dict.fromkeys(one.__code__.co_filename for one in methods if one.__module__ == value.__module__)
    yield from reversed([name for name in linecache.cache if "ipykernel" in name or name.startswith("<ipython")])


def _free(node: ast.stmt) -> Iterator[str]:
    """The names that a definition uses and does not make itself."""
    made = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
    made |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and one.id not in made and not hasattr(builtins, one.id):
            yield one.id


def _namespace(module: str) -> dict[str, Any]:
    return vars(importlib.import_module(module))


def _article(noun: str) -> str:
    return f"a{'n' * (noun[:1].lower() in 'aeiou')} {noun}"


def module_of(value: Any, name: str, home: str) -> str:
    """The text of a module that defines `plugin`, equal to the value. Raises: PluginError where no text makes it."""
    module = Module(home)
    own = module.expression(value, f"the plugin '{name}'")
    title = f'"""Plugin {name}, as it was defined in a notebook."""'
    return f"{title}\n\nfrom __future__ import annotations\n\n{module.text().strip()}\n\n\nplugin = {own}\n"
