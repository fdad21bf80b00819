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
    certainty = np.abs(logits(probabilities) - logits(np.array(threshold)))
    wrong = (probabilities >= threshold) != (labels == 1)
    values, of, counts = np.unique(-certainty, return_inverse=True, return_counts=True)
    images = np.r_[0, np.cumsum(counts)]
    errors = np.r_[0, np.cumsum(np.bincount(of, wrong, len(values)))]
    answered = np.maximum(coverages * len(labels), 1)
    shares = np.interp(answered, images, errors) / answered
    return Selective(coverages, shares, float(shares.mean()))
