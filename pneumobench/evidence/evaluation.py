"""Predictions -> the figures that are reported, each with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pneumobench.errors import DataError
from pneumobench.evidence import bootstrap, metrics
from pneumobench.evidence.predictions import Predictions

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
    replacement, so that it covers both which patients came and how the training fell out.
    Raises: DataError unless all of them are about the same images in the same order.
    """
    if any(not m.same_images(models[0]) for m in models):
        raise DataError("figures of several seeds need predictions for the same images with the same labels")
    W = bootstrap.patient_weights(models[0].patient, resamples, seed)
    points = [metrics.point(m.label, m.probability, m.subtype, m.operating.threshold) for m in models]
    draws = [bootstrap.resampled(m.label, m.probability, m.subtype, m.operating.threshold, W) for m in models]
    count = len(models)
    found = {}
    for name in points[0]:
        values = np.array([p[name] for p in points])
        value = float(values.mean())
        drawn = bootstrap.over_seeds(np.stack([d[name] for d in draws], axis=1), seed)
        low, high = bootstrap.interval(bootstrap.unbiased(drawn, value) if name == "ece" else drawn)
        least, most = metrics.RANGES.get(name, (0.0, 1.0))
        sd = float(values.std(ddof=1)) if count > 1 else None
        found[name] = Estimate(value, max(low, least), min(high, most), sd)
    return found


def proportion(correct: int, total: int) -> Estimate:
    """A proportion with its Wilson interval (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    from scipy.stats import binomtest

    bounds = binomtest(correct, total).proportion_ci(bootstrap.LEVEL, method="wilson")
    return Estimate(correct / total, float(bounds.low), float(bounds.high))


def published() -> Estimate:
    """The post's accuracy as what it is: one proportion of 624 images."""
    return proportion(PUBLISHED_CORRECT, PUBLISHED_IMAGES)


def majority(labels: np.ndarray) -> Estimate:
    """The accuracy of always naming the commoner class."""
    counts = np.bincount(labels, minlength=2)
    return proportion(int(counts.max()), int(counts.sum()))
