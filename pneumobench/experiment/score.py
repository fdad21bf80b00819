"""Trained models -> metrics: the single look at the test images, and the intervals over patients and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pneumobench.data.lockbox import Look
from pneumobench.data.subset import Part
from pneumobench.evaluation import estimates
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.context import Training
from pneumobench.experiment.session import Session
from pneumobench.experiment.under_way import UnderWay

Figures = Mapping[str, Estimate]  # by metric


@dataclass(frozen=True)
class Opened:
    """The test images, and how many looks at them were recorded before this one."""

    part: Part
    looks: int


@dataclass(frozen=True)
class Scores:
    """The metrics of an experiment by part of the split: of each training, and `overall` (their mean).

    `test` holds each training's predictions on the test images, and is empty where they stayed closed; `uncalibrated`
    are the same before calibration. `labels` are those of the readable test images; `looks` counts the openings before
    the first of its trainings was scored; `lost` names unreadable images. `sites` are the metrics on the test images of
    each site, where there are several and both classes in it.
    """

    of_training: Mapping[Training, Mapping[str, Figures]]
    overall: Mapping[str, Figures]
    folds: Sequence[Figures]
    test: Mapping[Training, Predictions]
    labels: np.ndarray
    looks: int
    lost: tuple[str, ...]
    sites: Mapping[str, Figures] = field(default_factory=dict)
    uncalibrated: Mapping[Training, Predictions] = field(default_factory=dict)


def open_test(experiments: Sequence[UnderWay], session: Session) -> Opened:
    """The test images, once the ledger holds the look at them by all of these experiments together.

    Raises: TrackingError where the look cannot be recorded.
    """
    dataset = experiments[0].context.images.dataset
    look = Look.now(
        plugin=", ".join(one.context.name for one in experiments),
        run=",".join(one.record.parent.run_id for one in experiments),
        trainings=",".join(one.record.of(training).run_id for one in experiments for training in one.unscored),
        fingerprint=dataset.fingerprint,
        dataset=dataset.name,
    )
    part, looks = experiments[0].context.images.lockbox.open(session.store.ledger, look)
    return Opened(part, looks)


def score(one: UnderWay, opened: Opened | None) -> Scores:
    """Score every training's model on validation and, where they are open, on the test images.

    Raises: DataError for an unreadable test image.
    """
    images, models, progress, clock = one.context.images, one.models, one.session.progress, one.session.clock
    lost, labels = images.lost, images.dataset.labels[images.dataset.origins == "test"]
    both = {}
    if one.planned.opens_test:
        both = {training: model.test for training, model in models.items() if model.test is not None}
    if opened:
        with clock("evaluate"):
            progress.stage("scoring the test images")
            part = opened.part
            for view in one.context.views:
                part = part.readable(view)
            lost, labels = lost + part.lost, part.labels
            for training in one.unscored:
                both[training] = models[training].predict_both(part)
    test = {training: both[training][0].in_order() for training in models if training in both}
    uncalibrated = {training: both[training][1].in_order() for training in models if training in both}
    if test and not opened:
        labels = next(iter(test.values())).label
    with clock("evaluate"):
        progress.stage("resampling patients for the intervals")
        parts = {"validation": {training: model.validation.in_order() for training, model in models.items()}}
        parts |= {"test": test} if test else {}
        of_training = {
            training: {part: estimates.evaluate([predictions[training]]) for part, predictions in parts.items()}
            for training in models
        }
        overall: dict[str, Figures] = dict(next(iter(of_training.values())))
        if len(models) > 1:
            overall["validation"] = estimates.evaluate_validation({"": list(parts["validation"].values())})[""]
        if len(models) > 1 and test:
            overall["test"] = estimates.evaluate(list(test.values()))
        held_out = next(iter(models.values())).folds if images.folds else ()
        folds = [estimates.evaluate([fold]) for fold in held_out]
        sites = _of_sites(list(test.values()))
    looks = opened.looks if opened else max((model.looks for model in one.planned.trained.values()), default=0)
    return Scores(of_training, overall, folds, test, labels, looks, lost, sites, uncalibrated)


def _of_sites(test: Sequence[Predictions]) -> dict[str, Figures]:
    """The metrics of all trainings together on each site's images; {} where there is one site."""
    sites = test[0].columns.get("site", np.array([], str)) if test else np.array([], str)
    names = np.unique(sites).tolist()
    of_site = {name: [one.take(sites == name) for one in test] for name in names} if len(names) > 1 else {}
    return {name: estimates.evaluate(own) for name, own in of_site.items() if len(np.unique(own[0].label)) > 1}
