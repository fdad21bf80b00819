"""The one flow: images, a split, trainings, one look at the test images, and what can be claimed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring import registry
from pneumobench.authoring.knobs import of_member, resolve
from pneumobench.data import prepare
from pneumobench.data import split as splitting
from pneumobench.data.folds import check
from pneumobench.errors import UsageError
from pneumobench.evaluation import operating_point
from pneumobench.evaluation.estimates import Estimate, evaluate, majority, published
from pneumobench.experiment import ensemble
from pneumobench.experiment.context import About
from pneumobench.experiment.fit import Fitted, fit
from pneumobench.experiment.recording import recording_of
from pneumobench.experiment.result import Result, SeedResult
from pneumobench.experiment.study_origin import Origin
from pneumobench.tracking.importing import import_mlflow
from pneumobench.tracking.store import Store
from pneumobench.training import precision as precisions
from pneumobench.training import trainer
from pneumobench.utils.progress import Progress
from pneumobench.utils.timing import Clock

MAX_SEED = 2**32  # NumPy's and Keras' generators take no larger one


def run(
    plugin: str,
    *,
    data: str | Path | None = None,
    split: str = "patient",
    split_seed: int = 0,
    seeds: int = 1,
    seed: int = 0,
    folds: int | None = None,
    knobs: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    precision: str = "auto",
    limit: int | None = None,
    operating: str = "youden",
    test: bool = True,
    skip_unreadable: bool = False,
    allow_leak: bool = False,
    tracking_uri: str | None = None,
    origin: Origin | None = None,
    progress: Progress | None = None,
) -> Result:
    """Train a plugin on `seeds` seeds from `seed` on, score it, and track everything.

    Several seeds are trained first and then scored in one look at the test images. With `folds`, the whole
    development side is cross-validated instead, and the mean of the folds' models is scored. An ensemble's
    members that are not tracked yet are trained and tracked first, without opening the test images. `origin` says
    which study found the knobs, for the tags.
    Raises: UsageError, PluginError or DataError before anything is tracked; any error after that ends the
    MLflow run as FAILED.
    """
    progress = progress or Progress()
    clock = Clock()

    # all that can be refused without an image is refused before one is read
    entry, recipe = registry.find(plugin), registry.load(plugin)
    values = resolve(recipe, knobs or {})
    trainer.check(recipe, epochs, plugin)
    precisions.check(precision)
    splitting.check(split)
    rule = operating_point.check_rule(operating)
    check(folds)
    check_numbers(seeds, seed, split_seed, limit)
    if folds and seeds > 1:
        raise UsageError(f"--folds {folds} trains one seed {folds} times; for more seeds run it again with --seed")
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
            allow_leak=allow_leak,
            progress=progress,
        )
        if origin:
            origin.check(images.dataset)
    with clock("decode"):
        views = trainer.views_of(recipe, values)
        images = prepare.decode(images, views, folds=folds, skip_unreadable=skip_unreadable, progress=progress)
    with clock("start"):
        progress.stage("starting Keras and MLflow")
        trainer.start(recipe, values)
        import_mlflow()

    about = About(entry, recipe, values, epochs, rule, images, origin=origin)
    numbers = range(seed, seed + seeds)
    reused = {number: ensemble.tracked(about, store, number) for number in numbers}
    missing = [(number, member) for number in numbers for member in ensemble.missing(about, reused[number])]
    if missing:
        progress.stage("building the members once, before any is trained")
        trainer.build(recipe, values, epochs, plugin)
    for number, member in missing:
        progress.fact(f"member {member}, seed {number}: trained and tracked on its own, test images closed")
        reused[number][member] = run(
            member,
            data=data,
            split=split,
            split_seed=split_seed,
            seed=number,
            knobs=of_member(member, values),
            epochs=trainer.epochs_of(member, epochs),
            precision=precision,
            limit=limit,
            operating=operating,
            test=False,
            skip_unreadable=skip_unreadable,
            allow_leak=allow_leak,
            tracking_uri=tracking_uri,
            progress=progress,
        ).run_id

    with recording_of(about, store, numbers, clock) as tracked:
        fitted: dict[int, Fitted] = {}
        figures: dict[int, dict[str, dict[str, Estimate]]] = {}
        for number in numbers:
            if reused[number]:
                tracked.of_seed(number).tags({"members": json.dumps(reused[number])})
            fitted[number] = fit(
                about,
                seed=number,
                precision=precision,
                on_epoch=tracked.on_epoch(number),
                trained=partial(ensemble.load, store, reused[number]),
                clock=clock,
                progress=progress,
            )
            with clock("evaluate"):
                figures[number] = {"validation": evaluate([fitted[number].validation])}
            with clock("track"):
                progress.stage("writing to the tracking store")
                tracked.save(number, fitted[number], figures[number]["validation"])
        parts = {"validation": {number: one.validation for number, one in fitted.items()}}

        lost, looks, test_labels = images.lost, 0, images.dataset.labels[images.dataset.origins == "test"]
        if test:
            with clock("evaluate"):
                opened, looks = images.lockbox.open(store.ledger, about.look(tracked.parent.run_id))
                tracked.tags({"looks": looks})
                progress.stage("scoring the test images")
                for view in views if skip_unreadable else ():
                    opened = opened.readable(view)
                lost, test_labels = lost + opened.lost, opened.labels
                parts["test"] = {number: one.on(opened) for number, one in fitted.items()}
        notes = list(images.notes)
        if lost:
            notes.append(f"{len(lost)} unreadable images left out: {', '.join(lost)}")
            progress.note(notes[-1])
            tracked.tags({"unreadable": len(lost), "unreadable_files": ", ".join(lost)})

        with clock("evaluate"):
            progress.stage("resampling patients for the intervals")
            for number, scored in parts.get("test", {}).items():
                figures[number]["test"] = evaluate([scored])
            overall = figures[seed]
            if seeds > 1:
                overall = {part: evaluate(list(of.values())) for part, of in parts.items()}
            of_folds = [evaluate([p]) for p in fitted[seed].folds] if folds else []
        with clock("track"):
            progress.stage("writing to the tracking store")
            for number in numbers:
                tracked.score(number, parts.get("test", {}).get(number), figures[number].get("test"))
            for fold, estimates in enumerate(of_folds, 1):
                tracked.finish_fold(fold, fitted[seed].folds[fold - 1], estimates)

        predictors = [one.predictor for one in fitted.values()]
        computed_by, device = trainer.runs_on(recipe, values)
        result = Result(
            run_id=tracked.parent.run_id,
            plugin=plugin,
            knobs=values,
            epochs=epochs,
            dataset=images.dataset.name,
            fingerprint=images.dataset.fingerprint,
            split=split,
            split_seed=split_seed,
            folds=folds,
            operating_point=rule,
            counts=images.counts(test_labels),
            validation=overall["validation"],
            test=overall.get("test"),
            majority=majority(test_labels),
            published=published(),
            runs=tuple(
                SeedResult(
                    seed=number,
                    run_id=tracked.of_seed(number).run_id,
                    operating=one.validation.operating,
                    validation=figures[number]["validation"],
                    test=figures[number].get("test"),
                )
                for number, one in fitted.items()
            ),
            seconds=clock.seconds(),
            images_per_second=float(np.mean([predictor.images_per_second for predictor in predictors])),
            parameters=predictors[0].parameters,
            precision=predictors[0].precision,
            device=device,
            backend=computed_by,
            looks=looks,
            limit=limit,
            notes=tuple(notes),
        )
        tracked.finish(overall, parts.get("test", {}), result.as_dict())
    return result


def check_numbers(seeds: int, seed: int, split_seed: int, limit: int | None) -> None:
    """Raises: UsageError for a number that is out of range."""
    at_least = (("--seeds", seeds, 1), ("--seed", seed, 0), ("--split-seed", split_seed, 0), ("--limit", limit, 1))
    for option, value, least in at_least:
        if value is not None and value < least:
            raise UsageError(f"{option} is at least {least}, not {value}")
    if seed + seeds > MAX_SEED:
        raise UsageError(f"training seeds are below {MAX_SEED}, not {seed + seeds - 1}")
