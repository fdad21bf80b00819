"""A plugin and the development side of a split -> a predictor; the one place that tells plugin kinds apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, assert_never

from pneumobench.authoring import registry
from pneumobench.authoring.knobs import MEMBERS, call, of_member, value_of
from pneumobench.authoring.recipe import Ensemble, Estimator, Plugin, Recipe, View
from pneumobench.data.subset import Development
from pneumobench.errors import UsageError
from pneumobench.training import backend, estimator, network
from pneumobench.training.predictor import Predictor, mean
from pneumobench.utils.progress import Epoch, Progress

Trained = Callable[[str], Predictor | None]  # a member that is at hand already, by name


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

    `on_epoch` hears of each finished epoch and may raise to end the training. `trained` gives those of an
    ensemble's members that need no training.
    Raises: TrainingError where the loss stops being a number; UsageError for epochs that cannot be met.
    """
    check(plugin, epochs, name)
    progress = progress or Progress()
    began = time.perf_counter()
    predictor: Predictor
    match plugin:
        case Recipe():
            layers_from = plugin.build
            predictor = network.fit(
                plugin,
                development,
                knobs,
                seed=seed,
                epochs=epochs,
                precision=precision,
                on_epoch=on_epoch,
                progress=progress,
                name=name,
            )
        case Estimator():
            layers_from = plugin.features or plugin.build
            predictor = estimator.fit(plugin, development, knobs, seed=seed, progress=progress, name=name)
        case Ensemble():
            return mean(
                [
                    trained(member)
                    or train(
                        registry.load(member),
                        development,
                        of_member(member, knobs),
                        seed=seed,
                        epochs=epochs_of(member, epochs),
                        precision=precision,
                        progress=progress,
                        name=member,
                    )
                    for member in knobs[MEMBERS]
                ]
            )
        case _:
            assert_never(plugin)
    module = registry.importable(layers_from.__module__)
    return replace(predictor, seconds=predictor.seconds or time.perf_counter() - began, module=module)


def check(plugin: Plugin, epochs: int | None, name: str) -> None:
    """Raises: UsageError where `epochs` cannot be met, as far as that shows before a network is built."""
    if epochs is not None and isinstance(plugin, Estimator):
        raise UsageError(f"'{name}' is an estimator, which has no epochs; leave --epochs out")
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs is at least 1, not {epochs}")


def build(plugin: Plugin, knobs: Mapping[str, Any], epochs: int | None, name: str) -> None:
    """Build every network of a plugin once, to hear before a training what cannot be trained.

    Raises: what building a network raises, such as WeightsError; UsageError for epochs that cannot be met.
    """
    match plugin:
        case Recipe():
            network.plan(plugin, value_of(plugin.view, knobs), knobs, epochs, name)
        case Estimator():
            if plugin.features is not None:
                call(plugin.features, value_of(plugin.view, knobs).shape, knobs=knobs)
        case Ensemble():
            for member in knobs[MEMBERS]:
                build(registry.load(member), of_member(member, knobs), epochs_of(member, epochs), member)
        case _:
            assert_never(plugin)


def start(plugin: Plugin, knobs: Mapping[str, Any]) -> None:
    """Start Keras where the plugin needs it: an estimator over pixels is spared those seconds."""
    if _needs_keras(plugin, knobs):
        backend.keras()


def runs_on(plugin: Plugin, knobs: Mapping[str, Any]) -> tuple[str, str]:
    """What computes, "tensorflow", "jax" or "scikit-learn", and where: "gpu" or "cpu"."""
    return (backend.name(), backend.device()) if _needs_keras(plugin, knobs) else ("scikit-learn", "cpu")


def _needs_keras(plugin: Plugin, knobs: Mapping[str, Any]) -> bool:
    match plugin:
        case Recipe():
            return True
        case Estimator():
            return plugin.features is not None
        case Ensemble():
            return any(_needs_keras(registry.load(m), of_member(m, knobs)) for m in knobs[MEMBERS])
        case _:
            assert_never(plugin)


def epochs_of(member: str, epochs: int | None) -> int | None:
    """The epochs of an ensemble's member: those asked for, but none for an estimator."""
    return None if isinstance(registry.load(member), Estimator) else epochs


def views_of(plugin: Plugin, knobs: Mapping[str, Any]) -> list[View]:
    """The views that the plugin asks for with these knobs: one, or one for each member of an ensemble."""
    if isinstance(plugin, Ensemble):
        return [view for m in knobs[MEMBERS] for view in views_of(registry.load(m), of_member(m, knobs))]
    return [value_of(plugin.view, knobs)]
