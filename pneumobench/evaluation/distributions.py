"""Tails of the usual distributions and ranks, without scipy.stats, whose import takes longer than a comparison."""

from __future__ import annotations

import numpy as np
from scipy import special


def normal_isf(tail: float) -> float:
    """What a standard normal value exceeds with this probability."""
    return float(-special.ndtri(tail))


def normal_sf(value: float) -> float:
    """The probability that a standard normal value exceeds this one."""
    return float(special.ndtr(-value))


def student_isf(tail: float, df: float) -> float:
    """What Student's t with so many degrees of freedom exceeds with this probability; nan unless df > 0."""
    if not df > 0:
        return float("nan")
    return normal_isf(tail) if np.isinf(df) else float(-special.stdtrit(df, tail))


def student_sf(value: float, df: float) -> float:
    """The probability that Student's t with so many degrees of freedom exceeds this one; nan unless df > 0."""
    if not df > 0:
        return float("nan")
    return normal_sf(value) if np.isinf(df) else float(special.stdtr(df, -value))


def fisher_sf(value: float, above: float, below: float) -> float:
    """The probability that Fisher's F exceeds this value; nan unless both degrees of freedom are above 0."""
    if not (above > 0 and below > 0):
        return float("nan")
    return 1.0 if value <= 0 else float(special.fdtrc(above, below, value))


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks (n,) from 1; equal values share their mean rank (midranks)."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]


def binomial_half(successes: int, trials: int) -> float:
    """The exact two-sided p-value of so many successes if each has probability one half."""
    return float(min(1.0, 2 * special.bdtr(min(successes, trials - successes), trials, 0.5)))
