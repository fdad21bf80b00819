"""DeLong's test of two correlated AUROCs, for images or for patients with several images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pneumobench.evaluation.distributions import normal_sf, ranks


@dataclass(frozen=True)
class DeLong:
    """Two AUROCs on the same images, the standard error of their difference, and the two-sided p-value."""

    first: float
    second: float
    error: float
    p: float


def compare(labels: np.ndarray, first: np.ndarray, second: np.ndarray, patients: np.ndarray | None = None) -> DeLong:
    """The test for probabilities (n,) of two models; images are independent, or clustered in `patients` (n,).

    Sun and Xu, "Fast Implementation of DeLong's Algorithm for Comparing the Areas Under Correlated Receiver
    Operating Characteristic Curves", IEEE Signal Processing Letters 21, 2014; with patients Obuchowski,
    "Nonparametric Analysis of Clustered ROC Curve Data", Biometrics 53, 1997, which is the same where each has one
    image. Both classes must be present.
    """
    is_ill = labels == 1
    m, n = int(is_ill.sum()), int((~is_ill).sum())
    areas, residuals = [], np.empty((2, len(labels)))
    for row, probabilities in zip(residuals, (first, second), strict=True):
        X, Y = probabilities[is_ill], probabilities[~is_ill]
        among_all = ranks(np.concatenate([X, Y]))
        over_ill, over_well = (among_all[:m] - ranks(X)) / n, 1 - (among_all[m:] - ranks(Y)) / m
        areas.append(float(over_ill.mean()))
        row[is_ill], row[~is_ill] = over_ill - areas[-1], over_well - areas[-1]
    difference = areas[0] - areas[1]
    clusters = np.arange(len(labels)) if patients is None else np.unique(patients, return_inverse=True)[1]
    between = residuals[0] - residuals[1]
    ill, well = (np.bincount(clusters, between * side) for side in (is_ill, ~is_ill))
    I10, I01 = len(np.unique(clusters[is_ill])), len(np.unique(clusters[~is_ill]))
    variance = _ratio(I10) * float(ill @ ill) / m**2 + _ratio(I01) * float(well @ well) / n**2
    variance += 2 * _ratio(len(ill)) * float(ill @ well) / (m * n)
    error = float(np.sqrt(max(variance, 0.0)))
    p = 2 * normal_sf(abs(difference) / error) if error > 0 else float(difference == 0)
    return DeLong(areas[0], areas[1], error, p)


def _ratio(clusters: int) -> float:
    return clusters / (clusters - 1) if clusters > 1 else float("nan")
