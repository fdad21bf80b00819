"""DeLong's test of two correlated AUROCs, by Sun and Xu's fast algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata


@dataclass(frozen=True)
class DeLong:
    """Two AUROCs on the same images, the standard error of their difference, and the two-sided p-value."""

    first: float
    second: float
    error: float
    p: float


def compare(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> DeLong:
    """The test for probabilities (n,) of two models; it takes images as independent.

    Sun and Xu, "Fast Implementation of DeLong's Algorithm for Comparing the Areas Under Correlated Receiver
    Operating Characteristic Curves", IEEE Signal Processing Letters 21, 2014. Both of the classes must be there.
    """
    is_ill = labels == 1
    m, n = int(is_ill.sum()), int((~is_ill).sum())
    over_ill, over_well, areas = [], [], []
    for probabilities in (first, second):
        X, Y = probabilities[is_ill], probabilities[~is_ill]
        among_all = rankdata(np.concatenate([X, Y]))
        over_ill.append((among_all[:m] - rankdata(X)) / n)
        over_well.append(1 - (among_all[m:] - rankdata(Y)) / m)
        areas.append(float(over_ill[-1].mean()))
    covariance = np.cov(over_ill) / m + np.cov(over_well) / n
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = float(np.sqrt(max(variance, 0.0)))
    difference = areas[0] - areas[1]
    p = 2 * float(norm.sf(abs(difference) / error)) if error > 0 else float(difference == 0)
    return DeLong(areas[0], areas[1], error, p)
