"""A plugin's knobs: the keyword-only arguments of its hooks, found, checked and handed out."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.recipe import Ensemble, Hook, Plugin
from pneumobench.errors import PluginError, UsageError, unknown

MEMBERS = "members"  # an ensemble's knob
_NOT_HOOKS = {"defaults", "check", "resample", "weigh", "members"}


@dataclass(frozen=True)
class Knob:
    """A name, its default and its type, a list's being tuple; `choices` where the annotation is a `Literal`."""

    name: str
    default: Any
    type: type
    choices: tuple[Any, ...] = ()
    optional: bool = False  # whether None is a value
    element: Any = str  # the type of a list's items

    def convert(self, value: Any) -> Any:
        """The value in the knob's type. Raises: UsageError where it cannot be one."""
        if value is self.default:
            return value
        try:
            converted = _convert(value, self)
        except (ValueError, SyntaxError, TypeError):
            raise UsageError(
                f"knob '{self.name}' takes {_articled(self.type)} (default {self.default!r}), not {value!r}"
            ) from None
        if self.choices and converted not in self.choices:
            raise UsageError(f"knob '{self.name}' takes one of {', '.join(map(str, self.choices))}, not {value!r}")
        return converted


def hooks(plugin: Plugin) -> dict[str, Hook]:
    """The functions of a plugin whose keyword-only arguments are knobs, by field name."""
    found: dict[str, Hook] = {}
    for field in fields(plugin):
        value = getattr(plugin, field.name)
        if field.name in _NOT_HOOKS:
            continue
        if isinstance(value, Mapping):  # losses by output name
            found |= {f"{field.name}.{key}": hook for key, hook in value.items() if takes_knobs(hook)}
        elif takes_knobs(value):
            found[field.name] = value
    return found


def takes_knobs(value: Any) -> bool:
    """Whether a value is a function with keyword-only arguments, or of no arguments at all."""
    if not inspect.isfunction(value):
        return False
    kinds = [p.kind for p in inspect.signature(value).parameters.values()]
    return not kinds or inspect.Parameter.KEYWORD_ONLY in kinds


def knobs_of(plugin: Plugin) -> dict[str, Knob]:
    """Every knob of a plugin by name; of an ensemble, `members` and theirs as `member.knob`.

    Raises: PluginError where two hooks disagree on a default, UsageError for an unknown member.
    """
    if isinstance(plugin, Ensemble):
        return _of_ensemble(plugin, plugin.members)
    found: dict[str, Knob] = {}
    for field, hook in hooks(plugin).items():
        for name, parameter in inspect.signature(hook).parameters.items():
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                continue
            default = plugin.defaults.get(name, parameter.default)
            if default is inspect.Parameter.empty:
                raise PluginError(f"knob '{name}' of hook '{field}' needs a default in the signature")
            knob = _knob(name, default, _annotation(hook, parameter))
            if name in found and found[name].default != default:
                raise PluginError(
                    f"knob '{name}' has the default {found[name].default!r} in one hook and {default!r} in "
                    f"'{field}'; a knob has one default (`defaults={{'{name}': …}}` sets it for all)"
                )
            found.setdefault(name, knob)
    for source in ("defaults", "check"):
        for name in getattr(plugin, source):
            if name not in found:
                raise PluginError(f"`{source}`: {unknown('knob', name, found)}")
    return found


def resolve(plugin: Plugin, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """All knobs with their values: the defaults, and over them the chosen ones, checked and converted."""
    known = knobs_of(plugin)
    if isinstance(plugin, Ensemble) and MEMBERS in chosen:
        known = _of_ensemble(plugin, known[MEMBERS].convert(chosen[MEMBERS]))
    for name in chosen:
        if name not in known:
            raise unknown("knob", name, known)
    return {name: knob.convert(chosen[name]) if name in chosen else knob.default for name, knob in known.items()}


def of_member(member: str, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an ensemble's knobs that are one member's, by the member's own names for them."""
    return {name.removeprefix(f"{member}."): value for name, value in knobs.items() if name.startswith(f"{member}.")}


def _of_ensemble(plugin: Ensemble, members: tuple[str, ...]) -> dict[str, Knob]:
    found = {MEMBERS: Knob(MEMBERS, members, tuple)}
    if len(set(members)) < len(members) or not members:
        raise UsageError(f"an ensemble's members are one or more different plugins, not {', '.join(members) or 'none'}")
    for member in members:
        loaded = registry.load(member)
        if isinstance(loaded, Ensemble):
            raise UsageError(f"'{member}' is an ensemble itself, which cannot be a member; name its members")
        for name, knob in knobs_of(loaded).items():
            own = f"{member}.{name}"
            found[own] = replace(knob, name=own, default=plugin.defaults.get(own, knob.default))
    if members == plugin.members:  # with others, a default of an absent member's is not in use
        for name in plugin.defaults:
            if name not in found or name == MEMBERS:
                raise PluginError(f"`defaults`: {unknown('knob', name, set(found) - {MEMBERS})}")
    return found


def parse(assignments: Iterable[str]) -> dict[str, str]:
    """`["dropout=0.3"]` as `{"dropout": "0.3"}`. Raises: UsageError for anything else."""
    pairs = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes knob=value, not '{text}'")
        pairs[name.strip()] = value.strip()
    return pairs


def call(hook: Hook, *args: Any, knobs: Mapping[str, Any]) -> Any:
    """Call a hook with those of the knobs that it takes."""
    parameters = inspect.signature(hook).parameters.values()
    names = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    return hook(*args, **{name: knobs[name] for name in names if name in knobs})


def value_of(value: Any, knobs: Mapping[str, Any]) -> Any:
    """A value as it is, or what it gives for the knobs where it is a function of knobs."""
    return call(value, knobs=knobs) if takes_knobs(value) else value


def _annotation(hook: Hook, parameter: inspect.Parameter) -> Any:
    """The annotation as a type; `empty` where it names what is imported for type checkers alone."""
    annotation = parameter.annotation
    if not isinstance(annotation, str):
        return annotation
    alone = types.SimpleNamespace(__annotations__={parameter.name: annotation})  # another one may not resolve
    try:
        return typing.get_type_hints(alone, inspect.unwrap(hook).__globals__)[parameter.name]
    except Exception:
        return inspect.Parameter.empty


def _knob(name: str, default: Any, annotation: Any) -> Knob:
    """The knob's type is the annotation's where that names one, else the default's; None may be a value of either."""
    if typing.get_origin(annotation) is typing.Literal:
        choices = typing.get_args(annotation)
        return Knob(name, default, type(choices[0]), choices)
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    declared = [t for t in typing.get_args(annotation) if t is not type(None)] if union else [annotation]
    kind = declared[0] if len(declared) == 1 else inspect.Parameter.empty
    element = next((t for t in typing.get_args(kind) if isinstance(t, type)), str)
    kind = typing.get_origin(kind) or kind
    if not isinstance(kind, type) or kind is inspect.Parameter.empty:
        kind = type(default)
        if isinstance(default, list | tuple) and default:
            element = type(default[0])
    kind = tuple if issubclass(kind, list | tuple) else kind
    optional = union and type(None) in typing.get_args(annotation)
    return Knob(name, default, kind, optional=optional or default is None, element=element)


def _convert(value: Any, knob: Knob) -> Any:
    kind = knob.type
    if knob.optional and (value is None or (isinstance(value, str) and value.lower() == "none" and kind is not str)):
        return None
    if kind in (type(None), object):
        return ast.literal_eval(value) if isinstance(value, str) else value
    if kind is tuple:
        parts = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            raise ValueError
        return tuple(_scalar(part, knob.element) for part in parts)
    return _scalar(value, kind)


def _scalar(value: Any, kind: type) -> Any:
    """The value as pydantic reads it: a text as people write them, another value only where it has the type."""
    return _adapter(kind).validate_python(value, strict=not isinstance(value, str))


@cache
def _adapter(kind: type) -> Any:
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))


def _articled(kind: type) -> str:
    words = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        tuple: "a list with commas between",
    }
    return words.get(kind, f"a {kind.__name__}")
