"""A description of a plugin: docstring, knobs, space, parameters, differences from the baseline."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from pneumobench.authoring import registry
from pneumobench.authoring.components import Component, components
from pneumobench.authoring.differences import REFERENCE, differences
from pneumobench.authoring.knobs import Knob, call, knobs_of, resolve
from pneumobench.authoring.recipe import Plugin, Recipe
from pneumobench.authoring.spaces import sample
from pneumobench.errors import one_line
from pneumobench.training import backend, network


@dataclass(frozen=True)
class Description:
    """A plugin's parts. `parameters` is None, and `why_not` says why, where the network cannot be built here.

    `space` is empty where the plugin has none, or where it cannot be sampled, for the reason in `no_space`.
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


def describe(name: str) -> Description:
    """Describe a plugin without training it. Raises: UsageError (unknown), PluginError (cannot be imported)."""
    entry, plugin = registry.find(name), registry.load(name)
    space, no_space = _space(plugin)
    parameters, why_not = _parameters(plugin)
    return Description(
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


def _parameters(plugin: Plugin) -> tuple[int | None, str]:
    """The parameters of all components together, or None and why they cannot be counted."""
    values = resolve(plugin, {})
    try:
        backend.keras()
        counts = [_count(component) for component in components(plugin, values, "it")]
    except Exception as error:  # whatever a plugin raises, the rest of the description can still be shown
        return None, one_line(error)
    if None not in counts:
        return sum(count for count in counts if count is not None), ""
    return None, "an estimator over pixels" if len(counts) == 1 else "a member is an estimator over pixels"


def _count(component: Component) -> int | None:
    """The parameters of a network, or of an estimator's frozen feature network; None for an estimator over pixels."""
    plugin, knobs = component.plugin, dict(component.knobs)
    if "weights" in plugin.check:  # the count does not depend on the weights, and these need no download
        knobs["weights"] = plugin.check["weights"]
    if isinstance(plugin, Recipe):
        return network.build(plugin, component.view, knobs, "float32", "it")[0].count_params()
    return call(plugin.features, component.view.shape, knobs=knobs).count_params() if plugin.features else None


def _space(plugin: Plugin) -> tuple[dict[str, str], str]:
    try:
        return {knob: str(drawn_from) for knob, drawn_from in sample(plugin)[1].items()}, ""
    except Exception as error:
        return {}, one_line(error)


def _docstring(path: Path | None) -> str:
    return (path and ast.get_docstring(ast.parse(path.read_bytes()))) or ""
