"""Training of any plugin: a plugin and the development side of a split -> a predictor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.components import Component, components
from pneumobench.authoring.guard import guarded
from pneumobench.authoring.knobs import call
from pneumobench.authoring.recipe import Ensemble, Plugin, Recipe
from pneumobench.data.subset import Development
from pneumobench.errors import UsageError
from pneumobench.training import backend, estimator, network
from pneumobench.training.checkpoint import Checkpoints
from pneumobench.training.precision import resolve
from pneumobench.training.predictor import Predictor, mean
from pneumobench.utils.progress import Epoch, Progress

Trained = Callable[[str], Predictor | None]  # a member's name -> its trained model, or None


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
    module: str = "",
    trained: Trained = lambda member: None,
    checkpoints: Checkpoints | None = None,
) -> Predictor:
    """Train a plugin; `epochs` rescales its phases to that total.

    `on_epoch` is called after each epoch and may raise to end the training; not for an ensemble's members.
    `module` is that of the plugin's file, by default of its `build`.
    `trained` returns the members of an ensemble that are already trained. With `checkpoints` an interrupted training
    is resumed, with the same result; the reports of its earlier epochs are passed to `on_epoch` again.
    Raises: TrainingError if the loss is not finite; UsageError for a number of epochs that is not possible.
    """
    check_epochs(plugin, epochs, name)
    progress = progress or Progress()

    def fitted(component: Component) -> Predictor:
        began = time.perf_counter()
        common: dict[str, Any] = {"seed": seed, "progress": progress, "name": component.name}
        predictor: Predictor
        if isinstance(component.plugin, Recipe):
            callback = None if isinstance(plugin, Ensemble) else on_epoch
            options: dict[str, Any] = {"epochs": epochs, "precision": precision, "on_epoch": callback}
            options["checkpoint"] = checkpoints and checkpoints.of(component.name)
            with guarded(f"plugin '{component.name}'"):
                predictor = network.fit(component.plugin, development, component.knobs, **common, **options)
        else:
            with guarded(f"plugin '{component.name}'"):
                predictor = estimator.fit(component.plugin, development, component.knobs, **common)
        home = home_of(component, module, plugin)
        return replace(predictor, seconds=predictor.seconds or time.perf_counter() - began, module=home)

    if isinstance(plugin, Ensemble):
        return mean([trained(member.name) or fitted(member) for member in components(plugin, knobs)])
    return fitted(Component(name, plugin, knobs))


def home_of(component: Component, module: str, plugin: Plugin) -> str:
    """The module of a component's file: a member's own, else `module`, else that of the function that builds."""
    if isinstance(plugin, Ensemble):
        return registry.find(component.name).module
    return module or getattr(component.plugin.build, "__module__", "")


def check_epochs(plugin: Plugin, epochs: int | None, name: str) -> None:
    """Raises: UsageError if epochs are set for a plugin that has none."""
    if epochs is not None and not plugin.has_epochs:
        raise UsageError(f"'{name}' is an estimator, which has no epochs; omit --epochs")


def build(plugin: Plugin, knobs: Mapping[str, Any], epochs: int | None, name: str) -> None:
    """Build every network of a plugin once, so that errors appear before any training.

    Raises: whatever building a network raises, such as WeightsError; UsageError as in `train`.
    """
    for component in components(plugin, knobs, name):
        if isinstance(component.plugin, Recipe):
            with guarded(f"plugin '{component.name}'"):  # a schedule runs as its phases are taken
                network.plan(component.plugin, component.view, component.knobs, epochs, component.name)
        elif component.plugin.features is not None:
            call(component.plugin.features, component.view.shape, knobs=component.knobs)


def start(plugin: Plugin, knobs: Mapping[str, Any]) -> None:
    """Start Keras if a component needs it, which an estimator over pixels does not."""
    if needs_keras(plugin, knobs):
        backend.keras()


def runs_on(plugin: Plugin, knobs: Mapping[str, Any]) -> tuple[str, str]:
    """The library that computes ("tensorflow", "jax" or "scikit-learn") and the device ("gpu" or "cpu")."""
    return (backend.name(), backend.device()) if needs_keras(plugin, knobs) else ("scikit-learn", "cpu")


def precision_of(plugin: Plugin, knobs: Mapping[str, Any], precision: str) -> str:
    """What "auto" is on this machine, or the precision itself; "" where nothing is computed by Keras."""
    return resolve(precision) if needs_keras(plugin, knobs) else ""


def needs_keras(plugin: Plugin, knobs: Mapping[str, Any]) -> bool:
    """Whether a component is a network, or an estimator on a network's features."""
    return any(component.plugin.needs_keras for component in components(plugin, knobs))
