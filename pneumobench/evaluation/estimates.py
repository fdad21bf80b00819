"""Predictions -> the figures that are reported, each with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pneumobench.errors import DataError
from pneumobench.evaluation import bootstrap, distributions, intervals, labels, metrics, single, stratified
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.variance import Trainings

PUBLISHED_CORRECT, PUBLISHED_IMAGES = 477, 624  # 76.44 %, the post's test accuracy
PUBLISHED_CLASSES = (234, 390)  # its normal images and those of pneumonia


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; `sd` is the standard deviation over trainings where there are several."""

    value: float
    low: float
    high: float
    sd: float | None = None

    def __json__(self) -> dict[str, float]:
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        if self.sd is not None:
            numbers["sd"] = self.sd
        return numbers


def evaluate(
    models: Sequence[Predictions],
    *,
    only: Sequence[str] = (),
    resamples: int = bootstrap.RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every metric (or `only` some) of one model, or the mean over several trainings of it, on the same images.

    The intervals are over patients and, where there are several, over new trainings: see `single.interval`.
    Raises: DataError unless all of them are about the same images in the same order.
    """
    return evaluate_all({"": models}, only=only, resamples=resamples, seed=seed)[""]


def evaluate_validation(plugins: Mapping[str, Sequence[Predictions]]) -> dict[str, dict[str, Estimate]]:
    """`evaluate_all` of predictions on validation, whose images differ where trainings are on several divisions.

    Those have no patients in common that could be resampled: their mean has a standard deviation and no interval.
    """
    alike = {name: own for name, own in plugins.items() if all(one.same_images(own[0]) for one in own)}
    figures = evaluate_all(alike) if alike else {}
    for name, models in plugins.items():
        if name not in alike:
            each = [evaluate([model]) for model in models]
            figures[name] = {metric: _mean([one[metric].value for one in each]) for metric in each[0]}
    return {name: figures[name] for name in plugins}


def _mean(values: Sequence[float]) -> Estimate:
    undefined = float("nan")
    return Estimate(float(np.mean(values)), undefined, undefined, float(np.std(values, ddof=1)))


def evaluate_all(
    plugins: Mapping[str, Sequence[Predictions]],
    *,
    only: Sequence[str] = (),
    resamples: int = bootstrap.RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Estimate]]:
    """`evaluate` for several plugins; the patients of those on the same images are resampled once for all of them."""
    if any(not one.same_images(models[0]) for models in plugins.values() for one in models):
        raise DataError("figures of several seeds need predictions for the same images with the same labels")
    groups: dict[bytes, dict[str, Sequence[Predictions]]] = {}
    for name, models in plugins.items():
        groups.setdefault(models[0].hash.tobytes(), {})[name] = models
    estimates: dict[str, dict[str, Estimate]] = {}
    for group in groups.values():
        draws = _draws(group, only, resamples, seed)
        estimates |= {name: _estimates(models, name, draws, only) for name, models in group.items()}
    return {name: estimates[name] for name in plugins}


Draws = Mapping[tuple[str, int, str], np.ndarray]  # by plugin, training and metric
GAPS = "gaps"


def _draws(plugins: Mapping[str, Sequence[Predictions]], only: Sequence[str], resamples: int, seed: int) -> Draws:
    models = [(name, i, model) for name, own in plugins.items() for i, model in enumerate(own)]

    def figures(W: np.ndarray) -> Draws:
        return {(name, i, metric): values for name, i, m in models for metric, values in _figures(m, only, W).items()}

    return bootstrap.over_patients(figures, models[0][2].patient, resamples, seed)


def _figures(model: Predictions, only: Sequence[str], W: np.ndarray) -> dict[str, np.ndarray]:
    of = (model.label, model.probability, model.subtype, model.operating.threshold)
    figures = {name: stratified.of_model(model, name, W) for name in only} if only else metrics.every(*of, W)
    return figures | {GAPS: metrics.gaps(model.label, model.probability, W)}


def _estimates(models: Sequence[Predictions], name: str, draws: Draws, only: Sequence[str]) -> dict[str, Estimate]:
    points = [_figures(model, only, metrics.whole(len(model))) for model in models]
    gaps = (
        np.array([point.pop(GAPS)[0] for point in points]),
        np.stack([draws[name, i, GAPS] for i in range(len(models))], axis=1),
    )
    sides = {
        metric: Trainings(
            np.array([point[metric][0] for point in points]),
            np.stack([draws[name, i, metric] for i in range(len(models))], axis=1),
        )
        for metric in points[0]
    }
    estimates = {}
    for metric, side in sides.items():
        low, high = single.interval(metric, models, sides, gaps)
        known, sd = labels.of(metric), float(side.points.std(ddof=1)) if len(models) > 1 else None
        estimates[metric] = Estimate(side.value, max(low, known.least), min(high, known.most), sd)
    return estimates


def proportion(correct: int, total: int) -> Estimate:
    """A proportion with its Wilson interval (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    return Estimate(correct / total, *intervals.wilson(correct / total, total, distributions.normal_isf(single.TAIL)))


def published_for(labels: np.ndarray) -> Estimate | None:
    """The post's accuracy as one proportion of its 624 test images; None where these labels are of others.

    The release's test images are 234 normal ones and 390 of pneumonia.
    """
    return published() if tuple(np.bincount(labels, minlength=2)) == PUBLISHED_CLASSES else None


def published() -> Estimate:
    """The post's accuracy as what it is: one proportion of 624 images."""
    return proportion(PUBLISHED_CORRECT, PUBLISHED_IMAGES)


def majority(of: np.ndarray) -> Estimate:
    """The accuracy of always predicting the majority class."""
    counts = np.bincount(of, minlength=2)
    return proportion(int(counts.max()), int(counts.sum()))
