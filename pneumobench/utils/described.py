"""Fields of options that say what they mean: the same words in `--help` and in a verb's documentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, TypeVar

HELP = "help"
Verb = TypeVar("Verb", bound=Callable[..., Any])


def described(default: Any, text: str) -> Any:
    """A dataclass's field with its default and what it means."""
    return field(default=default, metadata={HELP: text})


def texts(kind: type) -> Mapping[str, str]:
    """What each field of a dataclass means, by name."""
    return {one.name: one.metadata[HELP] for one in fields(kind) if HELP in one.metadata}


def by_name(*kinds: type) -> Callable[[Verb], Verb]:
    """A decorator of a verb that takes fields of these dataclasses as `**options`: its signature and its documentation
    name each of them."""

    def decorate(verb: Verb) -> Verb:
        signature = inspect.signature(verb)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        known = {one.name for one in own}
        more = {one.name: (kind, one) for kind in kinds for one in fields(kind) if one.name not in known}
        keyword = inspect.Parameter.KEYWORD_ONLY
        for name, (_, one) in more.items():
            own.append(inspect.Parameter(name, keyword, default=one.default, annotation=one.type))
        verb.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
        lines = [f"- `{name}` ({one.default!r}): {texts(kind)[name]}" for name, (kind, one) in more.items()]
        title = f"Options by name, as fields of {_names(kinds)}:"
        verb.__doc__ = "\n".join([f"{inspect.getdoc(verb)}", "", title, "", *lines])
        return verb

    return decorate


def _names(kinds: tuple[type, ...]) -> str:
    return " and ".join(f"`{kind.__name__}`" for kind in kinds)
