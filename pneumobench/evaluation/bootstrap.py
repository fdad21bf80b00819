"""Resampling patients: weights of the images, what figures they give, and intervals from those."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
BLOCK, LEAST = 2**21, 16  # weights, and resamples, at once: all would take 0.8 GB for 100,000 images

K = TypeVar("K", bound=Hashable)


def patient_weights(patients: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each image is drawn in each resample, (resamples, n) float32.

    A resample draws as many patients as there are, with replacement, and takes all images of each
    (the cluster bootstrap: Field and Welsh, J. R. Statist. Soc. B 69, 2007).
    """
    return np.concatenate(list(_blocks(patients, resamples, seed)))


def over_patients(
    figures: Callable[[np.ndarray], Mapping[K, np.ndarray]],
    patients: np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[K, np.ndarray]:
    """What `figures` computes from image weights, by the same names, (resamples,) each.

    It receives the rows of `patient_weights` a block at a time, so that memory does not grow with their number.
    """
    blocks = [figures(W) for W in _blocks(patients, resamples, seed)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _blocks(patients: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    names, inverse = np.unique(patients, return_inverse=True)
    shares = np.full(len(names), 1 / len(names))
    rng = np.random.default_rng(seed)
    rows = max(LEAST, BLOCK // len(patients))
    for start in range(0, resamples, rows):
        draws = rng.multinomial(len(names), shares, size=min(rows, resamples - start))
        yield np.ascontiguousarray(draws.T, np.float32)[inverse].T  # an image's weights are contiguous


def interval(values: np.ndarray) -> tuple[float, float]:
    """The percentile interval (2.5 %, 97.5 %) of resampled values (resamples,), undefined ones excluded."""
    defined = values[np.isfinite(values)]
    if len(defined) < len(values) / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def unbiased(draws: np.ndarray, value: float) -> np.ndarray:
    """Draws (resamples,) moved so that their mean is the value, and none is below 0.

    For the ECE, which a resample overstates: repeated images leave its bins more uneven.
    """
    return np.maximum(draws - (np.nanmean(draws) - value), 0)


def over_seeds(draws: np.ndarray, seed: int = 0) -> np.ndarray:
    """The mean over seeds drawn with replacement, (resamples,), of draws by seed (resamples, seeds).

    The variance of n values drawn with replacement is (n - 1) / n of what n new seeds would show, a third too
    small for three of them; the deviations are widened by the root of its inverse.
    """
    count = draws.shape[1]
    if count == 1:
        return draws[:, 0]
    chosen = np.random.default_rng((seed, 1)).integers(count, size=draws.shape)
    mean = draws.mean(1)
    return mean + np.sqrt(count / (count - 1)) * (np.take_along_axis(draws, chosen, axis=1).mean(1) - mean)
