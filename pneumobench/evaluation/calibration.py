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


def bins(probabilities: np.ndarray) -> np.ndarray:
    """The bin 0 to 9 of each probability; 1 belongs to the last."""
    return np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
