"""Selective prediction: what share of the images a model answers, and how often it is then wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pneumobench.evaluation.recalibration import logits

COVERAGES = np.arange(1, 101) / 100


class Selective(NamedTuple):
    """Errors (coverages,) of the most certain share of the images; `area` is their mean, the area under the curve."""

    coverages: np.ndarray
    errors: np.ndarray
    area: float


def curve(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float, coverages: np.ndarray = COVERAGES
) -> Selective:
    """The errors at a threshold where a model answers only the images that are furthest from it in log odds.

    El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 11, 2010. Images of equal
    certainty are answered in equal shares, so that their order does not matter.
    """
    shares = errors(labels, probabilities, threshold, np.ones((1, len(labels))), coverages)[0]
    return Selective(coverages, shares, float(shares.mean()))


def errors(
    labels: np.ndarray,
    probabilities: np.ndarray,
    threshold: float,
    W: np.ndarray,
    coverages: np.ndarray = COVERAGES,
) -> np.ndarray:
    """The same errors, (resamples, coverages), for image weights W (resamples, n)."""
    certainty = np.abs(logits(probabilities) - logits(np.array(threshold)))
    wrong = (probabilities >= threshold) != (labels == 1)
    order = np.argsort(-certainty, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(certainty[order]) != 0])
    images, wrongs = (
        np.pad(
            np.cumsum(np.add.reduceat(weights[:, order], starts, axis=1, dtype=np.float64), axis=1), ((0, 0), (1, 0))
        )
        for weights in (W, W * wrong)
    )
    answered = np.maximum(coverages * images[:, -1:], 1)
    rows = zip(answered, images, wrongs, strict=True)
    return np.array([np.interp(share, seen, erred) for share, seen, erred in rows]) / answered
