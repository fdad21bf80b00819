"""Whether recalibrating on validation helps on the test images, measured on exported predictions.

    python tests/benchmarks/recalibration.py [results] [--part test]

Each training's calibrator is fitted on its validation predictions and applied to its predictions on `--part`. Printed
are, by plugin and as means over its trainings, ECE, Brier score and slope before and after, with the difference that
calibration makes to ECE and Brier score and its 95 % interval over patients (percentiles of 2,000 resamples); and last,
for each kind of calibrator, of how many plugins it lowers and raises each of the two.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pneumobench.evaluation import bootstrap, calibrator, metrics, recalibration
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import difference
from pneumobench.tracking import export
from pneumobench.tracking.runs import experiments

RESAMPLES = 2_000
KINDS = ("temperature", "isotonic")
ERRORS = {"ece": "ECE", "brier": "the Brier score"}


@dataclass(frozen=True)
class Row:
    """A plugin's figures before and after one kind of calibrator; a change is (value, low, high)."""

    name: str
    trainings: int
    kind: str
    errors: Mapping[str, tuple[float, float]]
    slopes: tuple[float, float]
    changes: Mapping[str, tuple[float, float, float]]

    def __str__(self) -> str:
        cells = [f"{before:.3f} → {after:.3f}" for before, after in self.errors.values()]
        cells.append(f"{self.slopes[0]:.2f} → {self.slopes[1]:.2f}")
        cells += [difference(*change) for change in self.changes.values()]
        return " | ".join([f"| {self.name}", str(self.trainings), self.kind, *cells]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--part", default="test")
    options = parser.parse_args()
    print("| plugin | trainings | kind | ECE | Brier score | slope | change of ECE | change of Brier score |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    measured = rows(options.results, options.part)
    for row in measured:
        print(row)
    print("", *(f"- {line}" for line in summary(measured)), sep="\n")


def rows(results: Path, part: str = "test") -> list[Row]:
    """A row for each exported experiment with validation predictions and each kind of calibrator."""
    measured = []
    for one in experiments(export.read(results)):
        if not (one.has_validation and one.opened_test):
            continue
        held_out, before = one.predictions("validation"), one.predictions(part)
        for kind in KINDS:
            after = []
            for own, model in zip(held_out, before, strict=True):
                fitted = calibrator.fit(kind, own.label, own.probability)
                assert fitted is not None
                after.append(replace(model, probability=fitted(model.probability)))
            measured.append(_row(one.name, kind, before, after))
    return measured


def summary(measured: Sequence[Row]) -> list[str]:
    """For each kind and error: in how many experiments the interval of the change is below 0, above 0, or holds it."""
    lines = []
    for kind in KINDS:
        for error, word in ERRORS.items():
            changes = [row.changes[error] for row in measured if row.kind == kind]
            lower, higher = sum(high < 0 for _, _, high in changes), sum(low > 0 for _, low, _ in changes)
            values = [value for value, _, _ in changes]
            lines.append(
                f"{kind} changes {word} by {min(values):+.3f} to {max(values):+.3f}: lower in {lower} of "
                f"{len(changes)} experiments, higher in {higher}, neither shown in {len(changes) - lower - higher}."
            )
    return lines


def _row(name: str, kind: str, before: Sequence[Predictions], after: Sequence[Predictions]) -> Row:
    sides = [_errors(before), _errors(after)]
    slopes = [recalibration.diagnoses(own)["calibration_slope"].value for own in (before, after)]
    changes = {}
    for error in ERRORS:
        change = sides[1][error] - sides[0][error]
        low, high = np.quantile(change[1:], [0.025, 0.975])
        changes[error] = (float(change[0]), float(low), float(high))
    errors = {error: (float(sides[0][error][0]), float(sides[1][error][0])) for error in ERRORS}
    return Row(name, len(before), kind, errors, (slopes[0], slopes[1]), changes)


def _errors(models: Sequence[Predictions]) -> dict[str, np.ndarray]:
    """The mean of each error over trainings, (1 + resamples,): on the images as they are, then resampled."""
    W = np.concatenate([metrics.whole(len(models[0])), bootstrap.patient_weights(models[0].patient, RESAMPLES)])
    each = [metrics.of_errors(model.label, model.probability, W) for model in models]
    return {name: np.mean([one[name] for one in each], axis=0) for name in ERRORS}


if __name__ == "__main__":
    main()
