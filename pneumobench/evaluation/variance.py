"""How uncertain a mean over trainings is, over patients and over trainings together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pneumobench.evaluation import distributions

NOTHING = 1e-18  # a variance below it is rounding


@dataclass(frozen=True)
class Trainings:
    """One side's figures: `points` (n,) of its n trainings, and `draws` (resamples, n) over resampled patients."""

    points: np.ndarray
    draws: np.ndarray

    @property
    def count(self) -> int:
        """How many trainings."""
        return len(self.points)

    @property
    def value(self) -> float:
        """The mean over trainings."""
        return float(self.points.mean())

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean over trainings in each resample, (resamples,)."""
        return self.draws.mean(1)

    @cached_property
    def between(self) -> float:
        """The variance of the figures between trainings, patients' part included; 0 for a single one."""
        return float(self.points.var(ddof=1)) if self.count > 1 else 0.0

    @cached_property
    def interaction(self) -> float:
        """The part of `between` that comes from the patients: trainings err on different ones."""
        if self.count < 2:
            return 0.0
        return float(np.nanvar(self.draws - self.mean[:, None], axis=0, ddof=1).sum() / (self.count - 1))

    @property
    def own(self) -> float:
        """The variance between trainings that no number of patients would remove."""
        return max(self.between - self.interaction, 0.0)

    def take(self, rows: Sequence[int]) -> Trainings:
        """These trainings alone, in this order."""
        return Trainings(self.points[list(rows)], self.draws[:, list(rows)])

    def less(self, other: Trainings) -> Trainings:
        """The differences of trainings that belong together, in order."""
        return Trainings(self.points - other.points, self.draws - other.draws)


@dataclass(frozen=True)
class Spread:
    """The variance of a figure and its degrees of freedom; `patients` is the part of it that the patients bring.

    Where every patient shows the same figure, no variance is seen: then `alike`, how many independent images they are
    worth, bounds by Wilson's interval of 0 among so many which share of images could still differ, each by `span`.
    """

    variance: float
    df: float
    patients: float
    alike: float = float("nan")
    span: float = 1.0

    @property
    def is_unanimous(self) -> bool:
        """Whether no variance is seen."""
        return self.variance < NOTHING

    @property
    def error(self) -> float:
        """The standard error."""
        return float(np.sqrt(self.variance))

    def t(self, tail: float) -> float:
        """Student's t that is exceeded with this probability."""
        return distributions.student_isf(tail, self.df)

    def reach(self, t: float) -> float:
        """How far from the figure a true one may be that is t standard errors away."""
        return self.span * t**2 / (self.alike + t**2) if self.is_unanimous else t * self.error

    def tail(self, distance: float) -> float:
        """The probability of an error beyond this distance, on one side."""
        if distance < 0:
            return 1 - self.tail(-distance)
        if not self.is_unanimous:
            return distributions.student_sf(distance / self.error, self.df)
        share = distance / self.span
        t = np.sqrt(self.alike * share / (1 - share)) if share < 1 else float("inf")
        return distributions.student_sf(float(t), self.df)


def spread(
    mean: np.ndarray, sides: Sequence[Trainings], patients: int, alike: float = float("nan"), span: float = 1.0
) -> Spread:
    """The spread of a figure over patients, and over new trainings of the given sides.

    `mean` (resamples,) is the figure in each resample of patients, the trainings held fixed; with no side the
    trainings stay fixed altogether. Trainings are random as readers are in a study of several readers and cases
    (Obuchowski and Rockette, Commun. Stat. Simul. 24, 1995; Hillis, Stat. Med. 26, 2007): the patients' variance
    holds each training's own errors on these patients already, so that they are taken off the variance between
    trainings. The degrees of freedom are Welch's and Satterthwaite's, at least 1.
    """
    P = float(np.nanvar(mean, ddof=1))
    sides = [side for side in sides if side.count > 1]
    variance = P + sum(side.own / side.count for side in sides)
    parts = P**2 / max(patients - 1, 1) + sum((side.between / side.count) ** 2 / (side.count - 1) for side in sides)
    df = max(variance**2 / parts, 1.0) if parts > 0 else float(max(patients - 1, 1))
    return Spread(variance, df, P, alike, span)
