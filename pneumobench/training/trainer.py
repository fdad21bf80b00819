"""A plugin and the development side of a split -> a predictor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pneumobench.authoring.components import Component, components
from pneumobench.authoring.discovery import importable
from pneumobench.authoring.knobs import call
from pneumobench.authoring.recipe import Ensemble, Plugin, Recipe
from pneumobench.data.subset import Development
from pneumobench.errors import UsageError
from pneumobench.training import backend, estimator, network
from pneumobench.training.predictor import Predictor, mean
from pneumobench.utils.progress import Epoch, Progress

Trained = Callable[[str], Predictor | None]  # a member that is trained already, by name


def train(
    plugin: Plugin,
    development: Development,
    knobs: Mapping[str, Any],
    *,
    seed: int,
    epochs: int | None = None,
    precision: str = "auto",
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: Progress | None = None,
    name: str = "plugin",
    trained: Trained = lambda member: None,
) -> Predictor:
    """Train what the plugin describes; `epochs` rescales its phases to that total.

    `on_epoch` is called after each epoch and may raise to end the training; not for an ensemble's members.
    `trained` gives those of an ensemble's members that need no training.
    Raises: TrainingError where the loss stops being a number; UsageError for epochs that cannot be met.
    """
    check_epochs(plugin, epochs, name)
    progress = progress or Progress()

    def fitted(component: Component) -> Predictor:
        began = time.perf_counter()
        common: dict[str, Any] = {"seed": seed, "progress": progress, "name": component.name}
        predictor: Predictor
        if isinstance(component.plugin, Recipe):
            layers_from = component.plugin.build
            heard = None if isinstance(plugin, Ensemble) else on_epoch
            of_network: dict[str, Any] = {"epochs": epochs, "precision": precision, "on_epoch": heard}
            predictor = network.fit(component.plugin, development, component.knobs, **common, **of_network)
        else:
            layers_from = component.plugin.features or component.plugin.build
            predictor = estimator.fit(component.plugin, development, component.knobs, **common)
        module = importable(layers_from.__module__)
        return replace(predictor, seconds=predictor.seconds or time.perf_counter() - began, module=module)

    if isinstance(plugin, Ensemble):
        return mean([trained(one.name) or fitted(one) for one in components(plugin, knobs)])
    return fitted(Component(name, plugin, knobs))


def check_epochs(plugin: Plugin, epochs: int | None, name: str) -> None:
    """Raises: UsageError where a plugin has no epochs to set."""
    if epochs is not None and not plugin.has_epochs:
        raise UsageError(f"'{name}' is an estimator, which has no epochs; leave --epochs out")


def build(plugin: Plugin, knobs: Mapping[str, Any], epochs: int | None, name: str) -> None:
    """Build every network of a plugin once, so that what cannot be trained is known before a training.

    Raises: what building a network raises, such as WeightsError; UsageError for epochs that cannot be met.
    """
    for component in components(plugin, knobs, name):
        if isinstance(component.plugin, Recipe):
            network.plan(component.plugin, component.view, component.knobs, epochs, component.name)
        elif component.plugin.features is not None:
            call(component.plugin.features, component.view.shape, knobs=component.knobs)


def start(plugin: Plugin, knobs: Mapping[str, Any]) -> None:
    """Start Keras where a component needs it; an estimator over pixels trains without."""
    if _needs_keras(plugin, knobs):
        backend.keras()


def runs_on(plugin: Plugin, knobs: Mapping[str, Any]) -> tuple[str, str]:
    """What computes, "tensorflow", "jax" or "scikit-learn", and where: "gpu" or "cpu"."""
    return (backend.name(), backend.device()) if _needs_keras(plugin, knobs) else ("scikit-learn", "cpu")


def _needs_keras(plugin: Plugin, knobs: Mapping[str, Any]) -> bool:
    return any(component.plugin.needs_keras for component in components(plugin, knobs))
