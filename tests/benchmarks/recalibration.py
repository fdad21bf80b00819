"""Whether recalibrating on validation helps on the test images, measured on exported predictions.

    python tests/benchmarks/recalibration.py [results] [--part test]

Each training's calibrator is fitted on its validation predictions and applied to its predictions on `--part`. Printed
are, by plugin and as means over its trainings, ECE, Brier score and slope before and after, with the difference that
calibration makes to ECE and Brier score and its 95 % interval over patients (percentiles of 2,000 resamples).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pneumobench.evaluation import bootstrap, calibrator, metrics, recalibration
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking import export
from pneumobench.tracking.runs import experiments

RESAMPLES = 2_000
ERRORS = ("ece", "brier")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--part", default="test")
    options = parser.parse_args()
    print("| plugin | trainings | kind | ECE | Brier score | slope | change of ECE | change of Brier score |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for one in experiments(export.read(options.results)):
        if not (one.has_validation and one.opened_test):
            continue
        held_out, before = one.predictions("validation"), one.predictions(options.part)
        for kind in ("temperature", "isotonic"):
            after = []
            for own, model in zip(held_out, before, strict=True):
                fitted = calibrator.fit(kind, own.label, own.probability)
                assert fitted is not None
                after.append(replace(model, probability=fitted(model.probability)))
            print(f"| {one.name} | {len(before)} | {kind} | {_row(before, after)} |")


def _row(before: Sequence[Predictions], after: Sequence[Predictions]) -> str:
    sides = [_errors(before), _errors(after)]
    cells = [f"{a[name][0]:.3f} → {b[name][0]:.3f}" for name in ERRORS for a, b in (sides,)]
    slopes = [recalibration.diagnoses(own)["calibration_slope"].value for own in (before, after)]
    cells.append(f"{slopes[0]:.2f} → {slopes[1]:.2f}")
    for name in ERRORS:
        change = sides[1][name] - sides[0][name]
        low, high = np.quantile(change[1:], [0.025, 0.975])
        cells.append(f"{change[0]:+.3f} [{low:+.3f}, {high:+.3f}]")
    return " | ".join(cells)


def _errors(models: Sequence[Predictions]) -> dict[str, np.ndarray]:
    """The mean of each error over trainings, (1 + resamples,): on the images as they are, then resampled."""
    W = np.concatenate([metrics.whole(len(models[0])), bootstrap.patient_weights(models[0].patient, RESAMPLES)])
    each = [metrics.of_errors(model.label, model.probability, W) for model in models]
    return {name: np.mean([one[name] for one in each], axis=0) for name in ERRORS}


if __name__ == "__main__":
    main()
