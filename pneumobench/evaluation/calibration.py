"""How far stated probabilities are met: the one binning of probabilities, for ECE and for every reliability curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ECE_BINS = 10


class Reliability(NamedTuple):
    """For each bin that holds an image: the mean stated probability, the observed share of pneumonia, the images."""

    stated: np.ndarray
    observed: np.ndarray
    counts: np.ndarray


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> Reliability:
    """The reliability curve of probabilities (n,) for labels (n,), 0 or 1, over `ECE_BINS` equal bins."""
    of = bins(probabilities)
    counts = np.bincount(of, minlength=ECE_BINS)
    filled = counts > 0
    counts = counts[filled]
    stated, observed = (np.bincount(of, values, ECE_BINS)[filled] / counts for values in (probabilities, labels))
    return Reliability(stated, observed, counts)


def binned(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The images and those of pneumonia in each bin, (resamples, ECE_BINS) each, for image weights W (resamples, n)."""
    of = np.eye(ECE_BINS, dtype=W.dtype)[bins(probabilities)]
    return W @ of, W @ (of * (labels == 1)[:, None]).astype(W.dtype)


def bins(probabilities: np.ndarray) -> np.ndarray:
    """The bin 0 to 9 of each probability; 1 belongs to the last."""
    return np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)


def ece_interval(gaps: np.ndarray, draws: np.ndarray, tail: float) -> tuple[float, float]:
    """The interval of a mean ECE over models, whose lower end reaches 0 for a calibrated one.

    `gaps` (models, bins) are stated less observed shares, `draws` (resamples, models, bins) the same on resampled
    patients. An ECE is a sum of absolute values, which chance alone makes positive. Of true gaps s times the observed
    ones, those belong to the interval from which the observed ECE is not unusually high or low (`tail` on each side):
    a test inverted along the line from a calibrated model (s = 0) through the observed one (s = 1).
    """
    from scipy.optimize import brentq

    value = float(np.abs(gaps).sum(1).mean())
    errors = draws - gaps

    def excess(s: float, quantile: float) -> float:
        return float(np.quantile(np.abs(s * gaps + errors).sum(2).mean(1), quantile)) - value

    if value == 0:
        return 0.0, 0.0
    low = 0.0 if excess(0.0, 1 - tail) >= 0 else float(brentq(excess, 0.0, 1.0, args=(1 - tail,), xtol=1e-8))
    most = 2.0
    while excess(most, tail) < 0:
        most *= 2
    high = 1.0 if excess(1.0, tail) >= 0 else float(brentq(excess, 1.0, most, args=(tail,), xtol=1e-8))
    return low * value, high * value
