"""A plugin and the development side of a split -> a predictor; the one place that tells plugin kinds apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, assert_never

from pneumobench.data.images import as_batch
from pneumobench.data.parts import Development
from pneumobench.errors import UsageError
from pneumobench.knobs import call, value_of
from pneumobench.progress import Epoch, Progress
from pneumobench.recipe import Estimator, Plugin, Recipe, View
from pneumobench.training import network
from pneumobench.training.predictor import Predictor, flat
from pneumobench.training.sampling import sample


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
) -> Predictor:
    """Train what the plugin describes; `epochs` rescales its phases to that total.

    `on_epoch` hears of each finished epoch and may raise to end the training.
    Raises: TrainingError where the loss stops being a number; UsageError for epochs that cannot be met.
    """
    check(plugin, epochs, name)
    progress = progress or Progress()
    began = time.perf_counter()
    match plugin:
        case Recipe():
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
            predictor = _fit_estimator(plugin, development, knobs, seed=seed, progress=progress)
        case _:
            assert_never(plugin)
    return replace(predictor, seconds=time.perf_counter() - began)


def check(plugin: Plugin, epochs: int | None, name: str) -> None:
    """Raises: UsageError where `epochs` cannot be met, as far as that shows before a network is built."""
    if epochs is not None and isinstance(plugin, Estimator):
        raise UsageError(f"'{name}' is an estimator, which has no epochs; leave --epochs out")
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs is at least 1, not {epochs}")


def view_of(plugin: Plugin, knobs: Mapping[str, Any]) -> View:
    """The view that the plugin asks for with these knobs."""
    return value_of(plugin.view, knobs)


def _fit_estimator(
    plugin: Estimator, development: Development, knobs: Mapping[str, Any], *, seed: int, progress: Progress
) -> Predictor:
    part = development.training
    progress.stage(f"fitting on {len(part):,} images")
    view = view_of(plugin, knobs)
    rows, weights = sample(plugin, part.labels, seed)
    model = call(plugin.build, knobs=knobs)
    model.set_params(**{key: seed for key in model.get_params() if key.split("__")[-1] == "random_state"})
    weigh = f"{model.steps[-1][0]}__sample_weight" if hasattr(model, "steps") else "sample_weight"
    X = flat(as_batch(part.pixels(view)[rows], view))
    started = time.perf_counter()
    model.fit(X, part.labels[rows], **({} if weights is None else {weigh: weights}))
    return Predictor(model, view, images_per_second=len(rows) / (time.perf_counter() - started))
