"""One seed of an experiment: train the model and choose its operating point on the held-out images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from pneumobench.data.subset import Part
from pneumobench.evaluation import calibrator, operating_point, predictions
from pneumobench.evaluation.calibrator import Calibrator
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.context import Context
from pneumobench.experiment.fold_models import FoldModels
from pneumobench.training import trainer
from pneumobench.training.checkpoint import Checkpoints
from pneumobench.training.predictor import Predictor, mean
from pneumobench.training.trainer import Trained
from pneumobench.utils.progress import Epoch, Progress
from pneumobench.utils.timing import Clock

UNCALIBRATED = "_uncalibrated"  # follows a part's name where predictions before calibration are kept


class Model(Protocol):
    """A trained model and what it says of the images held out from training: just fitted, or read from the store.

    `folds` are each fold's part of `validation`, `uncalibrated` those before calibration (the same without it), and
    `test` both on the test images, where they were predicted before.
    """

    @property
    def predictor(self) -> Predictor: ...
    @property
    def validation(self) -> Predictions: ...
    @property
    def folds(self) -> tuple[Predictions, ...]: ...
    @property
    def uncalibrated(self) -> Predictions: ...
    @property
    def test(self) -> tuple[Predictions, Predictions] | None: ...
    @property
    def images_per_second(self) -> float: ...
    @property
    def parameters(self) -> int: ...
    @property
    def precision(self) -> str: ...
    @property
    def calibrator(self) -> Calibrator | None: ...
    def predict_both(self, part: Part) -> tuple[Predictions, Predictions]:
        """The predictions on other images, at the operating point chosen on validation, and before calibration."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a training reports to, and what it takes from trainings before.

    `on_epoch` takes the number of a fold, from 1, and gives what each epoch is reported to; `trained` gives the members
    of an ensemble; `checkpoints` hold what an interrupted process had trained, and `kept` the models of folds.
    """

    on_epoch: Callable[[int], Callable[[Epoch], None]]
    trained: Trained = lambda member: None
    clock: Clock = field(default_factory=Clock)
    progress: Progress = field(default_factory=Progress)
    checkpoints: Checkpoints | None = None
    kept: FoldModels | None = None


@dataclass(frozen=True)
class Fitted:
    """A model that was trained just now."""

    predictor: Predictor
    validation: Predictions
    folds: tuple[Predictions, ...]
    uncalibrated: Predictions
    test: None = None

    @property
    def images_per_second(self) -> float:
        return self.predictor.images_per_second

    @property
    def parameters(self) -> int:
        return self.predictor.parameters

    @property
    def precision(self) -> str:
        return self.predictor.precision

    @property
    def calibrator(self) -> Calibrator | None:
        return self.predictor.calibrator

    def predict(self, part: Part) -> Predictions:
        """The model's predictions on other images, at the operating point chosen on validation."""
        return self.predict_both(part)[0]

    def predict_both(self, part: Part) -> tuple[Predictions, Predictions]:
        """The same, and those before calibration."""
        before = self.predictor.uncalibrated(part)
        after = self.predictor.calibrated(before)
        point = self.validation.operating
        return predictions.of([part.dataset], [after], point), predictions.of([part.dataset], [before], point)


def fit(context: Context, place: Place) -> Fitted:
    """Train on every division of the images: the single split, or each fold.

    The predictor is the mean of the folds' models. Every image of a fold's held-out part is predicted by that
    fold's model alone; on these predictions together the probabilities are calibrated, if so asked, and then the
    threshold is chosen.
    """
    clock, progress = place.clock, place.progress
    predictors, probabilities = [], []
    divisions = context.images.divisions
    for number, division in enumerate(divisions, 1):
        predictors.append(fit_division(context, place, number))
        with clock("evaluate"):
            probabilities.append(predictors[-1](division.validation))
    with clock("evaluate"):
        progress.stage("choosing the threshold on validation")
        parts = [division.validation.dataset for division in divisions]
        labels = np.concatenate([part.labels for part in parts])
        predictor = predictors[0] if len(predictors) == 1 else mean(predictors)
        predictor = replace(
            predictor, calibrator=calibrator.fit(context.train.calibrate, labels, np.concatenate(probabilities))
        )
        calibrated = [predictor.calibrated(p) for p in probabilities]
        point = operating_point.choose(context.train.operating_point, np.concatenate(calibrated), labels)
        return Fitted(
            predictor,
            predictions.of(parts, calibrated, point),
            tuple(predictions.of([part], [p], point) for part, p in zip(parts, calibrated, strict=True)),
            predictions.of(parts, probabilities, point),
        )


def fit_division(context: Context, place: Place, number: int) -> Predictor:
    """The model of one division, numbered from 1: trained now, or by another process before."""
    known = place.kept.read(number) if place.kept else None
    if known is not None:
        return known
    division, count = context.images.divisions[number - 1], len(context.images.divisions)
    if count > 1:
        place.progress.fact(f"fold {number} of {count}")
    with place.clock("train"):
        model = trainer.train(
            context.plugin,
            division,
            context.knobs,
            seed=context.train.seed,
            epochs=context.train.epochs,
            precision=context.train.precision,
            on_epoch=place.on_epoch(number),
            progress=place.progress,
            name=context.name,
            module=context.entry.module,
            trained=place.trained,
            checkpoints=place.checkpoints and place.checkpoints.of_part(division.digest),
        )
    if place.kept:
        place.kept.write(number, model)
    return model
