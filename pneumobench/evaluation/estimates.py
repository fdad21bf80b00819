"""Predictions -> the figures that are reported, each with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pneumobench.errors import DataError
from pneumobench.evaluation import bootstrap, labels, metrics
from pneumobench.evaluation.predictions import Predictions

PUBLISHED_CORRECT, PUBLISHED_IMAGES = 477, 624  # 76.44 %, the post's test accuracy


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; `sd` is the standard deviation over seeds where there are several."""

    value: float
    low: float
    high: float
    sd: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """For JSON, which knows no nan: an undefined figure is null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        if self.sd is not None:
            numbers["sd"] = self.sd
        return {key: number if np.isfinite(number) else None for key, number in numbers.items()}


def evaluate(
    models: Sequence[Predictions], *, resamples: int = bootstrap.RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Every metric of one model, or the mean over several seeds of it, on the same images.

    The interval is from a bootstrap over patients; with several seeds every resample also draws seeds with
    replacement, so that it covers both the choice of patients and the chance of training.
    Raises: DataError unless all of them are about the same images in the same order.
    """
    return evaluate_all({"": models}, resamples=resamples, seed=seed)[""]


def evaluate_all(
    plugins: Mapping[str, Sequence[Predictions]], *, resamples: int = bootstrap.RESAMPLES, seed: int = 0
) -> dict[str, dict[str, Estimate]]:
    """`evaluate` for several plugins; the patients of those on the same images are resampled once for all of them."""
    if any(not one.same_images(models[0]) for models in plugins.values() for one in models):
        raise DataError("figures of several seeds need predictions for the same images with the same labels")
    groups: dict[bytes, dict[str, Sequence[Predictions]]] = {}
    for name, models in plugins.items():
        groups.setdefault(models[0].hash.tobytes(), {})[name] = models
    estimates: dict[str, dict[str, Estimate]] = {}
    for group in groups.values():
        draws = _draws(group, resamples, seed)
        estimates |= {name: _estimates(models, name, draws, seed) for name, models in group.items()}
    return {name: estimates[name] for name in plugins}


def _draws(
    plugins: Mapping[str, Sequence[Predictions]], resamples: int, seed: int
) -> dict[tuple[str, int, str], np.ndarray]:
    every = [(name, i, model) for name, models in plugins.items() for i, model in enumerate(models)]

    def figures(W: np.ndarray) -> dict[tuple[str, int, str], np.ndarray]:
        return {
            (name, i, metric): values
            for name, i, m in every
            for metric, values in metrics.every(m.label, m.probability, m.subtype, m.operating.threshold, W).items()
        }

    return bootstrap.over_patients(figures, every[0][2].patient, resamples, seed)


def _estimates(
    models: Sequence[Predictions], of: str, draws: Mapping[tuple[str, int, str], np.ndarray], seed: int
) -> dict[str, Estimate]:
    points = [metrics.point(m.label, m.probability, m.subtype, m.operating.threshold) for m in models]
    count = len(models)
    estimates = {}
    for name in points[0]:
        values = np.array([p[name] for p in points])
        value = float(values.mean())
        drawn = bootstrap.over_seeds(np.stack([draws[of, i, name] for i in range(count)], axis=1), seed)
        low, high = bootstrap.interval(bootstrap.unbiased(drawn, value) if name == "ece" else drawn)
        known = labels.of(name)
        sd = float(values.std(ddof=1)) if count > 1 else None
        estimates[name] = Estimate(value, max(low, known.least), min(high, known.most), sd)
    return estimates


def proportion(correct: int, total: int) -> Estimate:
    """A proportion with its Wilson interval (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    from scipy.stats import binomtest

    bounds = binomtest(correct, total).proportion_ci(bootstrap.LEVEL, method="wilson")
    return Estimate(correct / total, float(bounds.low), float(bounds.high))


def published() -> Estimate:
    """The post's accuracy as what it is: one proportion of 624 images."""
    return proportion(PUBLISHED_CORRECT, PUBLISHED_IMAGES)


def majority(of: np.ndarray) -> Estimate:
    """The accuracy of always predicting the majority class."""
    counts = np.bincount(of, minlength=2)
    return proportion(int(counts.max()), int(counts.sum()))
