"""Trained models -> metrics: the single look at the test images, and the intervals over patients and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pneumobench.data.subset import Part
from pneumobench.evaluation import estimates
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.context import Context, Training
from pneumobench.experiment.fit import Fitted
from pneumobench.experiment.recording import Record
from pneumobench.experiment.session import Session

Figures = Mapping[str, Estimate]  # by metric


@dataclass(frozen=True)
class Scores:
    """The metrics of an experiment by part of the split: of each seed, and `overall` (their mean).

    `test` holds each training's predictions on the test images, and is empty where they stayed closed; `uncalibrated`
    are the same before calibration. `labels` are those of the readable test images; `looks` counts the openings before
    this one; `lost` names unreadable images. `sites` are the metrics on the test images of each site, where there are
    several and both classes in it.
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


def score(
    context: Context, models: Mapping[Training, Fitted], record: Record, session: Session, *, open_test: bool
) -> Scores:
    """Score every training's model on validation and, in a single look, on the test images.

    Raises: TrackingError where the look cannot be recorded; DataError for an unreadable test image.
    """
    images, progress, clock = context.images, session.progress, session.clock
    lost, looks, labels = images.lost, 0, images.dataset.labels[images.dataset.origins == "test"]
    test: dict[Training, Predictions] = {}
    uncalibrated: dict[Training, Predictions] = {}
    if open_test:
        with clock("evaluate"):
            opened, looks = _opened(context, record, session)
            progress.stage("scoring the test images")
            lost, labels = lost + opened.lost, opened.labels
            for training, model in models.items():
                test[training], uncalibrated[training] = model.predict_both(opened)
    with clock("evaluate"):
        progress.stage("resampling patients for the intervals")
        parts = {"validation": {training: model.validation for training, model in models.items()}}
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
    return Scores(of_training, overall, folds, test, labels, looks, lost, sites, uncalibrated)


def _of_sites(test: Sequence[Predictions]) -> dict[str, Figures]:
    """The metrics of all trainings together on each site's images; {} where there is one site."""
    sites = test[0].columns.get("site", np.array([], str)) if test else np.array([], str)
    names = np.unique(sites).tolist()
    of_site = {name: [one.take(sites == name) for one in test] for name in names} if len(names) > 1 else {}
    return {name: estimates.evaluate(own) for name, own in of_site.items() if len(np.unique(own[0].label)) > 1}


def _opened(context: Context, record: Record, session: Session) -> tuple[Part, int]:
    """The test images, after the look is recorded in the ledger, and how many looks at them came before."""
    images = context.images
    opened, looks = images.lockbox.open(session.store.ledger, context.look(record.parent.run_id))
    record.tags({"looks": looks})
    for view in context.views:
        opened = opened.readable(view)
    return opened, looks
