"""Several plugins in one call of the library, as `pneumobench run` does with its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pneumobench.data.options import DataOptions
from pneumobench.execution.trainings import trainer
from pneumobench.execution.workers import Workers
from pneumobench.experiment.options import gathered
from pneumobench.experiment.outcome import Outcome
from pneumobench.experiment.request import requested
from pneumobench.experiment.run import run_requests
from pneumobench.training.options import TrainOptions
from pneumobench.utils.described import by_name
from pneumobench.utils.live import shown
from pneumobench.utils.progress import Progress


@by_name(DataOptions, TrainOptions)
@shown
def run_all(
    plugins: Sequence[str] = (),
    knobs: Mapping[str, Any] | None = None,
    data: DataOptions | str | Path | None = None,
    train: TrainOptions | None = None,
    *,
    all_plugins: bool = False,
    plugins_from: str | None = None,
    test: bool = True,
    again: bool = False,
    workers: Workers | int | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Outcome:
    """Train several plugins with each seed, then score all of them in one look at the test images.

    `plugins` are names, `all_plugins` takes every one, and `plugins_from` those of a study's file; `knobs` are set as
    `plugin.knob`. What is tracked already is reused, unless `again`. `workers` trainings go on at once, by default one
    for each GPU, or one. A training that fails costs the others nothing; `pneumobench.compare` then compares the rest.
    Raises: UsageError, PluginError or DataError before anything is trained.
    """
    requests = requested(plugins, knobs or {}, everything=all_plugins, study=plugins_from)
    return run_requests(
        requests,
        *gathered(data, train, options),
        test=test,
        again=again,
        tracking_uri=tracking_uri,
        progress=progress,
        trainer=trainer(workers),
    )
