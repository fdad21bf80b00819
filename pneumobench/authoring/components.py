"""A plugin's components: the one module that distinguishes recipes, estimators and ensembles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.knobs import MEMBERS, of_member, value_of
from pneumobench.authoring.recipe import Ensemble, Estimator, Plugin, Recipe, View
from pneumobench.errors import PluginError


@dataclass(frozen=True)
class Component:
    """A recipe or an estimator with all of its knobs: a whole plugin, or one member of an ensemble."""

    name: str
    plugin: Recipe | Estimator
    knobs: Mapping[str, Any]

    @property
    def view(self) -> View:
        """The component's view for these knobs. Raises: PluginError for anything else."""
        view = value_of(self.plugin.view, self.knobs)
        if not isinstance(view, View):
            raise PluginError(f"`view` of '{self.name}' is a View(height, width), not {view!r}")
        return view

    def epochs(self, total: int | None) -> int | None:
        """The requested epochs; None for an estimator, which has none."""
        return total if self.plugin.has_epochs else None


def components(plugin: Plugin, knobs: Mapping[str, Any], name: str = "plugin") -> Iterator[Component]:
    """The recipes and estimators of a plugin, in the order of an ensemble's members; `knobs` holds every knob.

    Raises: UsageError or PluginError where a member cannot be loaded.
    """
    if not isinstance(plugin, Ensemble):
        yield Component(name, plugin, knobs)
        return
    for member in knobs[MEMBERS]:
        yield from components(registry.load(member), of_member(member, knobs), member)


def views(plugin: Plugin, knobs: Mapping[str, Any]) -> list[View]:
    """The view of each component of a plugin for these knobs."""
    return [component.view for component in components(plugin, knobs)]
