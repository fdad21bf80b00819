"""The interval of one figure: which rule a metric has, and what holds where no variance is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pneumobench.evaluation import bootstrap, calibration, intervals, metrics, stratified
from pneumobench.evaluation.distributions import normal_isf
from pneumobench.evaluation.metrics import HALF
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.variance import Trainings, spread

TAIL = (1 - bootstrap.LEVEL) / 2
PROPORTIONS = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "sensitivity_bacterial", "sensitivity_viral")
NONE = (float("nan"), float("nan"))
Interval = tuple[float, float]


def interval(
    metric: str,
    models: Sequence[Predictions],
    sides: Mapping[str, Trainings],
    gaps: tuple[np.ndarray, np.ndarray],
) -> Interval:
    """The 95 % interval of a metric's mean over trainings, over patients and new trainings (`variance.spread`).

    Proportions have Wilson's with an effective number of images, AUROC is taken on the logit scale, and an ECE's lower
    end can be 0; all others have the bootstrap's percentiles, moved away from the figure as far as the variance of
    trainings and Student's t ask. nan where most resamples lack a class, and where no variance is seen of a figure
    that has no rule for that. `sides` holds every metric's figures; `gaps` are `calibration.ece_interval`'s.
    """
    side = sides[metric]
    if np.isfinite(side.mean).mean() < 0.5:
        return NONE
    images = _images(metric, models)
    over = spread(side.mean, [side], int((images > 0).sum()))
    base, half, _ = ("auroc", "", "") if stratified.column_of(metric) else metric.partition(HALF)
    t = over.t(TAIL)
    if base in PROPORTIONS:
        p, n = side.value, float(images.sum())
        certain = over.is_unanimous and min(p, 1 - p) < 1e-9
        n = intervals.effective(images) if certain else min(p * (1 - p) / max(over.variance, 1e-12), n)
        return intervals.wilson(min(max(p, 0.0), 1.0), n, t)
    if over.is_unanimous:
        return (
            _perfect_auroc(side.value, models[0], t) if base == "auroc" else _combined(base, half, models, sides, gaps)
        )
    if base == "auroc":
        return intervals.logit(side.value, over.error, t)
    if base == "ece":
        low, high = calibration.ece_interval(*gaps, TAIL)
        trainings = t**2 * side.own / side.count
        down, up = (np.hypot(reach, trainings**0.5) for reach in (side.value - low, high - side.value))
        return float(side.value - down), float(side.value + up)
    low, high = bootstrap.interval(side.mean)
    wider = (over.variance / over.patients) ** 0.5 * t / normal_isf(TAIL) if over.patients else float("nan")
    return float(side.value + (low - side.value) * wider), float(side.value + (high - side.value) * wider)


def _images(metric: str, models: Sequence[Predictions]) -> np.ndarray:
    """How many images of the metric each patient has, (patients,), on average over models."""
    _, of = np.unique(models[0].patient, return_inverse=True)
    about = [metrics.denominator(metric, m.label, m.probability, m.subtype, m.operating.threshold) for m in models]
    return np.mean([np.bincount(of, mask) for mask in about], axis=0)


def _perfect_auroc(value: float, model: Predictions, t: float) -> Interval:
    ill, well = (
        intervals.effective(np.unique(model.patient[model.label == label], return_counts=True)[1]) for label in (1, 0)
    )
    low = intervals.perfect_auroc(ill, well, t)
    return {1.0: (low, 1.0), 0.0: (0.0, 1 - low)}.get(round(value, 9), NONE)


def _combined(
    base: str,
    half: str,
    models: Sequence[Predictions],
    sides: Mapping[str, Trainings],
    gaps: tuple[np.ndarray, np.ndarray],
) -> Interval:
    """Of a figure without variance that is made of proportions: from both of their lower, and both upper, ends."""
    parts = {
        "balanced_accuracy": ("sensitivity", "specificity"),
        "gmean": ("sensitivity", "specificity"),
        "mcc": ("sensitivity", "specificity"),
        "f1_pneumonia": ("sensitivity", "ppv"),
        "f1_normal": ("specificity", "npv"),
        "f1_weighted": ("accuracy", "accuracy"),
    }.get(base)
    if parts is None or any(f"{part}{half}" not in sides for part in parts):
        return NONE
    rules: dict[str, Callable[[float, float], float]] = {
        "gmean": lambda one, other: (one * other) ** 0.5,
        "mcc": lambda one, other: one + other - 1,  # Youden's J, which it equals for balanced predictions
        "f1_pneumonia": lambda one, other: 2 * one * other / (one + other) if one + other else 0.0,
    }
    rules["f1_normal"] = rules["f1_pneumonia"]
    rule = rules.get(base, lambda one, other: (one + other) / 2)
    ends = [interval(f"{part}{half}", models, sides, gaps) for part in parts]
    return rule(ends[0][0], ends[1][0]), rule(ends[0][1], ends[1][1])
