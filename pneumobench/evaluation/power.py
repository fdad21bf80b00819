"""Before training: how many trainings and test patients a difference needs, from the variances of tracked ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pneumobench.errors import UsageError
from pneumobench.evaluation import distributions
from pneumobench.evaluation.family import ALPHA, POWER
from pneumobench.evaluation.paired import SEEDS
from pneumobench.evaluation.variance import Spread, Trainings

MOST_TRAININGS, MOST_PATIENTS = 1000, 10_000_000


@dataclass(frozen=True)
class Components:
    """What makes a difference of two plugins uncertain, on a test set of so many `patients`.

    `common` is the patients' variance that stays with any number of trainings; `interaction` (one for each plugin) the
    patients' part of what two trainings differ in, and `own` the part that no number of patients removes.
    """

    common: float
    interaction: tuple[float, float]
    own: tuple[float, float]
    patients: int

    def spread(self, trainings: int, patients: int | None = None) -> Spread:
        """The spread of the difference with so many trainings a side and so many test patients."""
        patients = patients or self.patients
        scale = self.patients / patients
        P = scale * (self.common + sum(self.interaction) / trainings)
        variance = P + sum(self.own) / trainings
        between = [own + scale * inner for own, inner in zip(self.own, self.interaction, strict=True)]
        parts = P**2 / max(patients - 1, 1)
        parts += sum((one / trainings) ** 2 for one in between) / max(trainings - 1, 1)
        return Spread(variance, max(variance**2 / parts, 1.0) if parts else float(max(patients - 1, 1)), P)


def components(one: Trainings, other: Trainings, patients: int) -> Components:
    """The components of the difference of two plugins' figures (`paired.sides`), with two trainings a side at least.

    Raises: UsageError with a single training, which shows nothing of what another would give.
    """
    if min(one.count, other.count) < 2:
        raise UsageError("planning takes two trainings of each plugin at least; with one nothing is known of the next")
    P = float(np.nanvar(one.mean - other.mean, ddof=1))
    common = P - one.interaction / one.count - other.interaction / other.count
    return Components(max(common, 0.0), (one.interaction, other.interaction), (one.own, other.own), patients)


def detectable(
    known: Components, trainings: int, patients: int | None = None, *, pairs: int = 1, power: float = POWER
) -> float:
    """The true difference that is found with a probability of `power`, as one of so many pairs."""
    spread = known.spread(trainings, patients)
    return float((spread.t(ALPHA / (2 * pairs)) + spread.t(1 - power)) * spread.error)


def floor(known: Components, patients: int | None = None, *, pairs: int = 1, power: float = POWER) -> float:
    """What so many patients can never show less than: `detectable` with ever more trainings."""
    error = (known.common * known.patients / (patients or known.patients)) ** 0.5
    return float((distributions.normal_isf(ALPHA / (2 * pairs)) + distributions.normal_isf(1 - power)) * error)


def trainings_needed(
    known: Components, difference: float, patients: int | None = None, *, pairs: int = 1, power: float = POWER
) -> int | None:
    """How many trainings a side find a difference with a probability of `power`; None where no number does."""

    def is_enough(trainings: int) -> bool:
        return detectable(known, trainings, patients, pairs=pairs, power=power) <= difference

    return _least(SEEDS, MOST_TRAININGS, is_enough)


def patients_needed(
    known: Components, difference: float, trainings: int, *, pairs: int = 1, power: float = POWER
) -> int | None:
    """How many test patients find a difference with so many trainings a side; None where no number does."""

    def is_enough(patients: int) -> bool:
        return detectable(known, trainings, patients, pairs=pairs, power=power) <= difference

    return _least(2, MOST_PATIENTS, is_enough)


def _least(low: int, high: int, is_enough: Callable[[int], bool]) -> int | None:
    """The least number that is enough, where all greater ones are."""
    if not is_enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return low
