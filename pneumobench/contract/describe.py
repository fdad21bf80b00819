"""What a plugin is made of, for a reader: docstring, knobs, space, parameters, differences from the baseline."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.knobs import MEMBERS, Knob, call, knobs_of, of_member, resolve
from pneumobench.authoring.recipe import Ensemble, Estimator, Plugin, Recipe
from pneumobench.errors import told
from pneumobench.search.space import sample
from pneumobench.training import backend, network, trainer

REFERENCE = "baseline"


@dataclass(frozen=True)
class Anatomy:
    """`parameters` is None, and `why_not` says why, where the network cannot be built here.

    `space` is empty where the plugin has none, and `no_space` says why where it has one that cannot be sampled.
    """

    name: str
    origin: str
    kind: str
    docstring: str
    knobs: dict[str, Knob]
    space: dict[str, str]
    no_space: str
    parameters: int | None
    why_not: str
    differences: dict[str, str]


def of(name: str) -> Anatomy:
    """The anatomy of a plugin. Raises: UsageError (unknown), PluginError (cannot be imported)."""
    entry, plugin = registry.find(name), registry.load(name)
    space, no_space = _space(plugin)
    parameters, why_not = _parameters(plugin, {})
    return Anatomy(
        name=name,
        origin=entry.origin,
        kind=type(plugin).__name__,
        docstring=_docstring(entry.path),
        knobs=knobs_of(plugin),
        space=space,
        no_space=no_space,
        parameters=parameters,
        why_not=why_not,
        differences={} if name == REFERENCE else differences(plugin, registry.load(REFERENCE)),
    )


def differences(plugin: Plugin, reference: Plugin) -> dict[str, str]:
    """Field -> what it is, for the fields in which a plugin differs from another; `kind` where that differs."""
    if type(plugin) is not type(reference):
        return {"kind": f"{type(plugin).__name__}, not {type(reference).__name__}"}
    return {
        one.name: _named(getattr(plugin, one.name))
        for one in fields(plugin)
        if one.name != "check" and getattr(plugin, one.name) != getattr(reference, one.name)
    }


def _named(value: Any) -> str:
    if callable(value) and hasattr(value, "__name__"):
        return f"{value.__name__} of {value.__module__.rpartition('.')[2]}"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_named(item)}" for key, item in value.items()) or "none"
    return "none" if value is None else str(value)


def _parameters(plugin: Plugin, chosen: Mapping[str, Any]) -> tuple[int | None, str]:
    """The parameters of the network, or of the frozen one below an estimator; of an ensemble their sum."""
    values = resolve(plugin, chosen)
    if "weights" in plugin.check:  # the count is the same whatever the weights are, and these need no download
        values["weights"] = plugin.check["weights"]
    try:
        backend.keras()
        match plugin:
            case Recipe():
                view = trainer.views_of(plugin, values)[0]
                return network.build(plugin, view, values, "float32", "it")[0].count_params(), ""
            case Estimator() if plugin.features:
                return call(plugin.features, trainer.views_of(plugin, values)[0].shape, knobs=values).count_params(), ""
            case Estimator():
                return None, "an estimator over pixels"
            case Ensemble():
                found = [_parameters(registry.load(name), of_member(name, values))[0] for name in values[MEMBERS]]
                counts = [count for count in found if count is not None]
                return (sum(counts), "") if len(counts) == len(found) else (None, "a member's cannot be counted")
    except Exception as error:  # whatever a plugin raises, the rest of it can still be shown
        return None, told(error)


def _space(plugin: Plugin) -> tuple[dict[str, str], str]:
    try:
        return {knob: _readable(distribution) for knob, distribution in sample(plugin)[1].items()}, ""
    except Exception as error:
        return {}, told(error)


def _docstring(path: Path | None) -> str:
    return (path and ast.get_docstring(ast.parse(path.read_bytes()))) or ""


def _readable(distribution: Any) -> str:
    """An Optuna distribution in words: "0.1 to 0.6", "0.0001 to 0.01 (log)", "one of a, b"."""
    if hasattr(distribution, "choices"):
        return f"one of {', '.join(map(str, distribution.choices))}"
    step = f", in steps of {distribution.step}" if distribution.step not in (None, 1) else ""
    return f"{distribution.low:g} to {distribution.high:g}{step}{' (log)' if distribution.log else ''}"
