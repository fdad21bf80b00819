"""A training beside its repetition: their figures, their predictions, and how far two seeds would be apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pneumobench.evaluation.distributions import student_isf
from pneumobench.tracking.runs import Experiment, experiments
from pneumobench.tracking.tracked_run import TrackedRun

METRICS = (
    *("validation_auroc", "validation_log_loss", "threshold"),
    *("test_auroc", "test_accuracy", "test_sensitivity", "test_specificity", "test_accuracy_at_0.5"),
    "training_seconds",
)


@dataclass(frozen=True)
class Figure:
    """A metric's mean over the trainings before and now, and `margin`, what two such means of other seeds differ by."""

    metric: str
    before: float
    now: float
    margin: float | None

    @property
    def is_same(self) -> bool | None:
        """Whether they differ by no more than other seeds do; None where that is not known."""
        difference = abs(self.now - self.before)
        return True if difference == 0 else None if self.margin is None else bool(difference <= self.margin)

    @property
    def verdict(self) -> str:
        """The comparison in words."""
        if self.now == self.before:
            return "identical"
        if self.margin is None:
            return "not known: one seed alone"
        return f"the same within {self.margin:.4f}" if self.is_same else f"differs by more than {self.margin:.4f}"


@dataclass(frozen=True)
class Repeated:
    """A rerun's run id and that of the run before, their figures, the largest difference of a probability (None where
    the images differ), over how many seeds the margins were computed, and what differed beforehand."""

    before: str
    now: str
    figures: tuple[Figure, ...]
    largest: float | None
    seeds: int
    differences: tuple[str, ...]


def compared(
    before: Sequence[TrackedRun], now: Sequence[TrackedRun], every: Sequence[TrackedRun], differences: Sequence[str]
) -> Repeated:
    """The trainings `now` beside those `before`; `every` tracked training says how far seeds are apart."""
    seeds = _seeds_of(before, experiments(every))
    figures = []
    for metric in METRICS:
        pair = [[run.metrics[metric] for run in runs if metric in run.metrics] for runs in (before, now)]
        if all(pair) and len(pair[0]) == len(pair[1]):
            values = [run.metrics[metric] for run in seeds if metric in run.metrics]
            is_time = metric == "training_seconds"
            old, new = (float(np.mean(own)) for own in pair)
            figures.append(Figure(metric, old, new, None if is_time else margin(values, len(before))))
    return Repeated(
        before[0].parent, now[0].parent, tuple(figures), _largest(before, now), len(seeds), tuple(differences)
    )


def margin(values: Sequence[float], count: int) -> float | None:
    """What the means of twice `count` trainings of one kind differ by in 95 % of cases; None for less than two values.

    `values` are one metric's of trainings with other seeds. The difference has the variance 2 s^2 / count, with s^2
    estimated from them: Student's t with one degree of freedom less than there are values.
    """
    if len(values) < 2:
        return None
    return student_isf(0.025, len(values) - 1) * float(np.std(values, ddof=1)) * float(np.sqrt(2 / count))


def _seeds_of(runs: Sequence[TrackedRun], grouped: Sequence[Experiment]) -> list[TrackedRun]:
    """The trainings that differ from these in the seed alone, themselves included."""
    ids, divisions = {run.run_id for run in runs}, {run.split_seed for run in runs}
    own = next((one for one in grouped if ids & {run.run_id for run in one.runs}), None)
    return [run for run in own.runs if run.split_seed in divisions] if own else list(runs)


def _largest(before: Sequence[TrackedRun], now: Sequence[TrackedRun]) -> float | None:
    """The largest difference between the probabilities of one image, over validation and test."""
    others = {run.training: run for run in now}
    largest = 0.0
    for run in before:
        for part in ("validation", "test"):
            one, other = (
                run.predictions(part),
                others[run.training].predictions(part) if run.training in others else None,
            )
            if one is None or other is None:
                continue
            if not np.array_equal(one.hash, other.hash):
                return None
            largest = max(largest, float(np.abs(one.probability - other.probability).max()))
    return largest
