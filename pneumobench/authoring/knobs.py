"""A plugin's knobs: the keyword-only arguments of its hooks, collected, validated and passed on."""

from __future__ import annotations

import ast
import copy
import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.guard import guarded
from pneumobench.authoring.recipe import Ensemble, Hook, Plugin
from pneumobench.errors import PluginError, UsageError, unknown

MEMBERS = "members"  # an ensemble's knob
_NOT_HOOKS = {"defaults", "check", "resample", "weigh", "members"}


@dataclass(frozen=True)
class Knob:
    """A knob's name, default and type (tuple for a list); `choices` if its annotation is a `Literal`."""

    name: str
    default: Any
    type: type
    choices: tuple[Any, ...] = ()
    optional: bool = False  # whether None is allowed
    element: Any = str  # the type of a list's items

    def convert(self, value: Any) -> Any:
        """The value converted to the knob's type. Raises: UsageError if it cannot be."""
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
    hooks: dict[str, Hook] = {}
    for field in fields(plugin):
        value = getattr(plugin, field.name)
        if field.name in _NOT_HOOKS:
            continue
        if isinstance(value, Mapping):  # losses by output name
            hooks |= {f"{field.name}.{key}": hook for key, hook in value.items() if takes_knobs(hook)}
        elif takes_knobs(value):
            hooks[field.name] = value
    return hooks


def takes_knobs(value: Any) -> bool:
    """Whether a value is a function that has keyword-only arguments, or no arguments at all."""
    if not inspect.isfunction(value):
        return False
    kinds = [p.kind for p in inspect.signature(value).parameters.values()]
    return not kinds or inspect.Parameter.KEYWORD_ONLY in kinds


def knobs_of(plugin: Plugin) -> dict[str, Knob]:
    """Every knob of a plugin by name; for an ensemble, `members` and each member's knobs as `member.knob`.

    Raises: PluginError if two hooks disagree on a default, UsageError for an unknown member.
    """
    if isinstance(plugin, Ensemble):
        return _of_ensemble(plugin, plugin.members)
    knobs: dict[str, Knob] = {}
    for field, hook in hooks(plugin).items():
        for name, parameter in inspect.signature(hook).parameters.items():
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                continue
            default = plugin.defaults.get(name, parameter.default)
            if default is inspect.Parameter.empty:
                raise PluginError(f"knob '{name}' of hook '{field}' needs a default in the signature")
            knob = _knob(name, default, _annotation(hook, parameter))
            if name in knobs and knobs[name].default != default:
                raise PluginError(
                    f"knob '{name}' has the default {knobs[name].default!r} in one hook and {default!r} in "
                    f"'{field}'; a knob has one default (`defaults={{'{name}': …}}` sets it for all)"
                )
            knobs.setdefault(name, knob)
    for source in ("defaults", "check"):
        for name in getattr(plugin, source):
            if name not in knobs:
                raise PluginError(f"`{source}`: {unknown('knob', name, knobs)}")
    return knobs


def resolve(plugin: Plugin, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every knob: the chosen ones, validated and converted, and the defaults of the rest."""
    known = knobs_of(plugin)
    if isinstance(plugin, Ensemble) and MEMBERS in chosen:
        known = _of_ensemble(plugin, known[MEMBERS].convert(chosen[MEMBERS]))
    for name in chosen:
        if name not in known:
            raise unknown("knob", name, known)
    return {name: knob.convert(chosen[name]) if name in chosen else knob.default for name, knob in known.items()}


def of_member(member: str, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs of one member of an ensemble, without the `member.` prefix."""
    return {name.removeprefix(f"{member}."): value for name, value in knobs.items() if name.startswith(f"{member}.")}


def _of_ensemble(plugin: Ensemble, members: tuple[str, ...]) -> dict[str, Knob]:
    knobs = {MEMBERS: Knob(MEMBERS, members, tuple)}
    if len(set(members)) < len(members) or not members:
        raise UsageError(f"an ensemble's members are one or more different plugins, not {', '.join(members) or 'none'}")
    for member in members:
        loaded = registry.load(member)
        if isinstance(loaded, Ensemble):
            raise UsageError(f"'{member}' is itself an ensemble, which cannot be a member; name its members")
        for name, knob in knobs_of(loaded).items():
            prefixed = f"{member}.{name}"
            knobs[prefixed] = replace(knob, name=prefixed, default=plugin.defaults.get(prefixed, knob.default))
    if members == plugin.members:  # with other members, defaults of absent ones are not used
        for name in plugin.defaults:
            if name not in knobs or name == MEMBERS:
                raise PluginError(f"`defaults`: {unknown('knob', name, set(knobs) - {MEMBERS})}")
    return knobs


def parse(assignments: Iterable[str]) -> dict[str, str]:
    """`["dropout=0.3"]` -> `{"dropout": "0.3"}`. Raises: UsageError for an assignment of another form."""
    pairs = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes knob=value, not '{text}'")
        pairs[name.strip()] = value.strip()
    return pairs


def call(hook: Hook, *args: Any, knobs: Mapping[str, Any]) -> Any:
    """Call a hook with the knobs that it takes. Raises: PluginError where it changes one, such as a list."""
    parameters = inspect.signature(hook).parameters.values()
    names = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    given = {name: knobs[name] for name in names if name in knobs}
    copies = {name: copy.deepcopy(v) if isinstance(v, list | dict | set) else v for name, v in given.items()}
    with guarded(f"the plugin's `{hook.__name__}`"):
        value = hook(*args, **copies)
    for name, before in given.items():
        if isinstance(before, list | dict | set) and copies[name] != before:
            raise PluginError(
                f"`{hook.__name__}` changes the value of knob '{name}', {before!r}, into {copies[name]!r}, which every "
                f"later call would begin with; write a tuple as its default, or change a copy"
            )
    return value


def value_of(value: Any, knobs: Mapping[str, Any]) -> Any:
    """The value itself, or, if it is a function of knobs, what it returns for these."""
    return call(value, knobs=knobs) if takes_knobs(value) else value


def _annotation(hook: Hook, parameter: inspect.Parameter) -> Any:
    """The annotation as a type; `empty` if it names something imported for type checkers only."""
    annotation = parameter.annotation
    if not isinstance(annotation, str):
        return annotation
    single = types.SimpleNamespace(__annotations__={parameter.name: annotation})  # others may not resolve
    try:
        return typing.get_type_hints(single, inspect.unwrap(hook).__globals__)[parameter.name]
    except Exception:
        return inspect.Parameter.empty


def _knob(name: str, default: Any, annotation: Any) -> Knob:
    """A knob of the annotation's type if it names one, else of the default's; either may allow None."""
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
    """The value validated by pydantic: a string is parsed, any other value must already have the type."""
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
        str: "a string",
        tuple: "a comma-separated list",
    }
    return words.get(kind, f"a {kind.__name__}")
