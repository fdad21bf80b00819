"""The end of an experiment: its models scored, everything logged, and the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pneumobench.errors import TrackingError
from pneumobench.evaluation import estimates
from pneumobench.experiment import calibrated
from pneumobench.experiment.result import Result, SeedResult
from pneumobench.experiment.score import Opened, Scores, score
from pneumobench.experiment.under_way import UnderWay
from pneumobench.training import trainer


def finish(one: UnderWay, opened: Opened | None) -> None:
    """Score an experiment's models, log its result and end its runs; an error is noted, and ends them as FAILED.

    Where nothing is new, the result is computed from what is tracked, and nothing is logged.
    """
    try:
        one.in_order()
        opened = opened if one.unscored else None
        if opened:
            one.record.looked(one.unscored, opened.looks)
        scores = score(one, opened)
        notes = _notes(one, scores)
        if not one.is_new:
            calibration = calibrated.measure(one.models, scores.uncalibrated, scores.test)
            one.result = replace(_result(one, scores, notes), calibration=calibration)
            return
        _track(one, scores)
        calibration = calibrated.track(one.models, scores.uncalibrated, scores.test, one.record)
        one.result = replace(_result(one, scores, notes), calibration=calibration)
        one.record.finish(one.result, scores.overall, scores.test)
        if one.session.meter is not None:
            one.record.parent.metrics(one.session.meter.metrics())
        one.end()
    except Exception as error:
        one.failed |= dict.fromkeys(one.models, error)
        one.result = None
        one.end(error)


def _track(one: UnderWay, scores: Scores) -> None:
    """Log each training's metrics and plots, and each fold's predictions on its held-out images."""
    record = one.record
    with one.session.clock("track"):
        one.session.progress.stage("writing to the tracking store")
        failed: list[TrackingError] = []
        for training, model in one.models.items():  # each is kept on this machine where the store does not take it
            if model.test is not None:
                continue
            test, before = scores.test.get(training), scores.uncalibrated.get(training)
            before = before if model.calibrator is not None else None
            try:
                record.score(training, test, before, scores.of_training[training].get("test"))
            except TrackingError as error:
                failed.append(error)
        if failed:
            raise failed[0]
        for model in one.models.values():
            for fold, (held_out, figures) in enumerate(zip(model.folds, scores.folds, strict=False), 1):
                record.finish_fold(fold, held_out, figures)


def _notes(one: UnderWay, scores: Scores) -> tuple[str, ...]:
    """Notes for the user about the images, including those that could not be read."""
    notes = one.context.images.notes
    if not scores.lost:
        return notes
    note = f"{len(scores.lost)} unreadable images left out: {', '.join(scores.lost)}"
    one.session.progress.note(note)
    if one.is_new:
        one.record.tags({"unreadable": len(scores.lost), "unreadable_files": ", ".join(scores.lost)})
    return (*notes, note)


def _result(one: UnderWay, scores: Scores, notes: tuple[str, ...]) -> Result:
    context = one.context
    images, train = context.images, context.train
    models = list(one.models.values())
    backend, device = trainer.runs_on(context.plugin, context.knobs)
    return Result(
        run_id=one.run_id,
        plugin=context.name,
        knobs=dict(context.knobs),
        epochs=train.epochs,
        dataset=images.dataset.name,
        fingerprint=images.dataset.fingerprint,
        split=images.options.split,
        split_seed=images.options.split_seed,
        folds=train.folds,
        operating_point=train.operating_point,
        counts=images.counts(scores.labels),
        validation=dict(scores.overall["validation"]),
        test=dict(scores.overall["test"]) if scores.test else None,
        majority=estimates.majority(scores.labels),
        published=estimates.published_for(scores.labels),
        runs=tuple(
            SeedResult(
                seed=training.seed,
                run_id=one.run_of(training),
                operating=model.validation.operating,
                validation=dict(scores.of_training[training]["validation"]),
                test=dict(scores.of_training[training]["test"]) if scores.test else None,
                split_seed=training.split_seed,
            )
            for training, model in one.models.items()
        ),
        seconds=one.session.clock.seconds(),
        images_per_second=float(np.mean([model.images_per_second for model in models])),
        parameters=models[0].parameters,
        precision=models[0].precision,
        device=device,
        backend=backend,
        looks=scores.looks,
        limit=images.options.limit,
        notes=notes,
        sites={name: dict(figures) for name, figures in scores.sites.items()},
    )
