"""What calibrating a run's probabilities did, on validation and on the test images: measured, and logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pneumobench.evaluation import estimates, recalibration
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.calibration import Calibration, Figures
from pneumobench.experiment.context import Training
from pneumobench.experiment.fit import Model
from pneumobench.experiment.logged import entries
from pneumobench.experiment.recording import Record
from pneumobench.tracking.recorder import Recorder

ERRORS = ("ece", "brier")
BEFORE = "uncalibrated"  # follows a metric's name


def measure(
    models: Mapping[Training, Model],
    uncalibrated: Mapping[Training, Predictions],
    test: Mapping[Training, Predictions],
) -> Calibration | None:
    """The calibration of a run's trainings together; None where none was asked for. `test` may be empty."""
    calibrators = [model.calibrator for model in models.values()]
    if calibrators[0] is None:
        return None
    before = {"validation": [one.uncalibrated.in_order() for one in models.values()], "test": [*uncalibrated.values()]}
    after = {"validation": [one.validation.in_order() for one in models.values()], "test": [*test.values()]}
    return Calibration(
        kind=calibrators[0].kind,
        temperatures=tuple(one.temperature for one in calibrators if one and one.kind == "temperature"),
        before={part: _figures(own) for part, own in before.items() if own},
        after={part: _figures(own) for part, own in after.items() if own},
    )


def track(
    models: Mapping[Training, Model],
    uncalibrated: Mapping[Training, Predictions],
    test: Mapping[Training, Predictions],
    record: Record,
) -> Calibration | None:
    """Measure it, and log it to each training's run and to the experiment's."""
    whole = measure(models, uncalibrated, test)
    if whole is None:
        return None
    for training, model in models.items():
        here = [{training: one[training]} if one else {} for one in (uncalibrated, test)]
        own = whole if not record.is_several else measure({training: model}, *here)
        _log(own, record.of(training)) if own else None
    if record.is_several:
        _log(whole, record.parent)
    return whole


def _figures(models: Sequence[Predictions]) -> Figures:
    if all(one.same_images(models[0]) for one in models):
        errors = estimates.evaluate(models, only=ERRORS)
    else:
        errors = estimates.evaluate_validation({"": models})[""]
    return {name: errors[name] for name in ERRORS} | recalibration.diagnoses(models)


def _log(own: Calibration, run: Recorder) -> None:
    """`test_ece_uncalibrated` … and what is new after it: `test_calibration_slope` …"""
    for part, before in own.before.items():
        values = entries(part, {f"{name}_{BEFORE}": estimate for name, estimate in before.items()})
        new = {name: estimate for name, estimate in own.after[part].items() if name not in ERRORS}
        run.metrics(values | entries(part, new))
    if len(own.temperatures) == 1:
        run.metrics({"temperature": own.temperatures[0]})
