"""Resampling patients: weights of the images, what figures they give, and intervals from those."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
BLOCK, LEAST = 2**19, 16  # weights, and resamples, at once: what stays in a processor's cache

K = TypeVar("K", bound=Hashable)
Seed = int | tuple[int, ...]


def patient_weights(patients: np.ndarray, resamples: int = RESAMPLES, seed: Seed = 0) -> np.ndarray:
    """How often each image is drawn in each resample, (resamples, n) float32.

    A resample draws as many patients as there are, with replacement, and takes all images of each
    (the cluster bootstrap: Field and Welsh, J. R. Statist. Soc. B 69, 2007).
    """
    return np.concatenate([W for _, W in blocks(patients, resamples, seed)])


def over_patients(
    figures: Callable[[np.ndarray], Mapping[K, np.ndarray]],
    patients: np.ndarray,
    resamples: int = RESAMPLES,
    seed: Seed = 0,
) -> dict[K, np.ndarray]:
    """What `figures` computes from image weights, by the same names, (resamples,) each.

    It receives the rows of `patient_weights` a block at a time, so that memory does not grow with their number.
    """
    parts = [figures(W) for _, W in blocks(patients, resamples, seed)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def blocks(patients: np.ndarray, resamples: int, seed: Seed = 0) -> Iterator[tuple[slice, np.ndarray]]:
    """The rows of `patient_weights` a block at a time, each with which rows they are."""
    names, inverse = np.unique(patients, return_inverse=True)
    shares = np.full(len(names), 1 / len(names))
    rng = np.random.default_rng(seed)
    rows = max(LEAST, BLOCK // len(patients))
    for start in range(0, resamples, rows):
        draws = rng.multinomial(len(names), shares, size=min(rows, resamples - start))
        # an image's weights are contiguous
        yield slice(start, start + len(draws)), np.ascontiguousarray(draws.T, np.float32)[inverse].T


def interval(values: np.ndarray) -> tuple[float, float]:
    """The percentile interval (2.5 %, 97.5 %) of resampled values (resamples,), undefined ones excluded."""
    defined = values[np.isfinite(values)]
    if len(defined) < len(values) / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
