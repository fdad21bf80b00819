"""The one flow: images, a split, trainings, one look at the test images, and what can be claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench import knobs as knobbing
from pneumobench import registry
from pneumobench.about import About
from pneumobench.clock import Clock
from pneumobench.data import prepare
from pneumobench.data import split as splitting
from pneumobench.errors import UsageError
from pneumobench.evidence import evaluation, operating_point
from pneumobench.evidence.evaluation import Predictions
from pneumobench.evidence.result import Result, SeedResult
from pneumobench.progress import Progress
from pneumobench.record import recording_of
from pneumobench.tracking.store import Store, import_mlflow
from pneumobench.training import backend, trainer
from pneumobench.training import precision as precisions
from pneumobench.training.predictor import Predictor

MAX_SEED = 2**32  # NumPy's and Keras' generators take no larger one


def run(
    plugin: str,
    *,
    data: str | Path | None = None,
    split: str = "patient",
    split_seed: int = 0,
    seeds: int = 1,
    seed: int = 0,
    knobs: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    precision: str = "auto",
    limit: int | None = None,
    operating: str = "youden",
    test: bool = True,
    skip_unreadable: bool = False,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Train a plugin on `seeds` seeds from `seed` on, score it, and track everything.

    Several seeds are trained first and then scored in one look at the test images.
    Raises: UsageError, PluginError or DataError before anything is tracked; any error after that ends the
    MLflow run as FAILED.
    """
    progress = progress or Progress()
    clock = Clock()

    # all that can be refused without an image is refused before one is read
    entry, recipe = registry.find(plugin), registry.load(plugin)
    values = knobbing.resolve(recipe, knobs or {})
    trainer.check(recipe, epochs, plugin)
    precisions.check(precision)
    splitting.check(split)
    rule = operating_point.check_rule(operating)
    _check_numbers(seeds, seed, split_seed, limit)
    store = Store(tracking_uri)
    if store.exists:
        with clock("track"):
            progress.stage("opening the tracking store")
            store.close_abandoned()

    with clock("load"):
        images = prepare.load(
            data,
            split=split,
            split_seed=split_seed,
            limit=limit,
            skip_unreadable=skip_unreadable,
            progress=progress,
        )
    with clock("decode"):
        view = trainer.view_of(recipe, values)
        development = prepare.decode(images.development, view, skip_unreadable=skip_unreadable, progress=progress)
        images = replace(images, development=development)
    with clock("start"):
        progress.stage("starting Keras and MLflow")
        backend.keras()
        import_mlflow()

    about = About(entry, recipe, values, epochs, rule, images)
    numbers = range(seed, seed + seeds)
    with recording_of(about, store, numbers, clock) as tracked:
        predictors: dict[int, Predictor] = {}
        parts: dict[str, dict[int, Predictions]] = {"validation": {}}
        for number in numbers:
            with clock("train"):
                predictors[number] = trainer.train(
                    recipe,
                    development,
                    values,
                    seed=number,
                    epochs=epochs,
                    precision=precision,
                    on_epoch=tracked.on_epoch(number),
                    progress=progress,
                    name=plugin,
                )
            with clock("evaluate"):
                progress.stage("choosing the threshold on validation")
                probabilities = predictors[number](development.validation)
                point = operating_point.choose(rule, probabilities, development.validation.labels)
                parts["validation"][number] = Predictions(development.validation, probabilities, point)

        lost, looks, test_labels = images.lost, 0, images.dataset.labels[images.dataset.origins == "test"]
        if test:
            with clock("evaluate"):
                opened, looks = images.lockbox.open(store.ledger, about.look(tracked.parent.run_id))
                progress.stage("scoring the test images")
                if skip_unreadable:
                    opened = opened.readable(view)
                    lost, test_labels = lost + opened.lost, opened.labels
                parts["test"] = {
                    number: Predictions(opened, predictor(opened), parts["validation"][number].operating)
                    for number, predictor in predictors.items()
                }
        notes = list(images.notes)
        if lost:
            notes.append(f"{len(lost)} unreadable images left out: {', '.join(lost)}")
            progress.note(notes[-1])
            tracked.tags({"unreadable": len(lost), "unreadable_files": ", ".join(lost)})

        with clock("evaluate"):
            progress.stage("resampling patients for the intervals")
            figures = {
                number: {part: evaluation.evaluate([of[number]]) for part, of in parts.items()} for number in numbers
            }
            overall = figures[seed]
            if seeds > 1:
                overall = {part: evaluation.evaluate(list(of.values())) for part, of in parts.items()}
        with clock("track"):
            progress.stage("writing to the tracking store")
            for number, predictor in predictors.items():
                of_seed = {part: of[number] for part, of in parts.items()}
                tracked.finish_seed(number, predictor, of_seed, figures[number])

        result = Result(
            run_id=tracked.parent.run_id,
            plugin=plugin,
            knobs=values,
            epochs=epochs,
            dataset=images.dataset.name,
            fingerprint=images.dataset.fingerprint,
            split=split,
            split_seed=split_seed,
            operating_point=rule,
            counts=images.counts(test_labels),
            validation=overall["validation"],
            test=overall.get("test"),
            majority=evaluation.majority(test_labels),
            published=evaluation.published(),
            runs=tuple(
                SeedResult(
                    seed=number,
                    run_id=tracked.runs[number].run_id,
                    operating=parts["validation"][number].operating,
                    validation=figures[number]["validation"],
                    test=figures[number].get("test"),
                )
                for number in numbers
            ),
            seconds=clock.seconds(),
            images_per_second=float(np.mean([p.images_per_second for p in predictors.values()])),
            parameters=predictors[seed].parameters,
            precision=predictors[seed].precision,
            device=backend.device(),
            backend=backend.name(),
            looks=looks,
            limit=limit,
            notes=tuple(notes),
        )
        tracked.finish(overall, parts.get("test", {}), result.as_dict())
    return result


def _check_numbers(seeds: int, seed: int, split_seed: int, limit: int | None) -> None:
    at_least = (("--seeds", seeds, 1), ("--seed", seed, 0), ("--split-seed", split_seed, 0), ("--limit", limit, 1))
    for option, value, least in at_least:
        if value is not None and value < least:
            raise UsageError(f"{option} is at least {least}, not {value}")
    if seed + seeds > MAX_SEED:
        raise UsageError(f"training seeds are below {MAX_SEED}, not {seed + seeds - 1}")
