"""Intervals that stay honest where a figure is near 0 or 1, from a t and what the images are worth."""

from __future__ import annotations

import numpy as np


def effective(images: np.ndarray) -> float:
    """How many independent images the images are worth, (Σm)² / Σm², from each patient's number m, (patients,).

    As if all images of a patient were alike (Kish, Survey Sampling, 1965).
    """
    total = float((images.astype(float) ** 2).sum())
    return float(images.sum()) ** 2 / total if total else 0.0


def wilson(p: float, n: float, t: float) -> tuple[float, float]:
    """The interval of a proportion of n images (Wilson, J. Am. Stat. Assoc. 22, 1927), with t in place of z.

    n may be an effective number (Korn and Graubard, Survey Methodology 24, 1998).
    """
    if n <= 0:
        return float("nan"), float("nan")
    middle = (p + t**2 / (2 * n)) / (1 + t**2 / n)
    half = t * np.sqrt(max(p * (1 - p), 0.0) / n + t**2 / (4 * n**2)) / (1 + t**2 / n)
    return float(middle - half) if p > 0 else 0.0, float(middle + half) if p < 1 else 1.0


def logit(value: float, error: float, t: float) -> tuple[float, float]:
    """The interval of a figure in (0, 1) whose logit is nearly normal, such as an AUROC near 1.

    Pepe, The Statistical Evaluation of Medical Tests, 2003, section 5.2.
    """
    middle, half = np.log(value / (1 - value)), t * error / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-np.clip([middle - half, middle + half], -700, 700)))
    return float(low), float(high)


def perfect_auroc(ill: float, well: float, t: float) -> float:
    """The lower end of an AUROC of exactly 1 among so many (effective) images of each class.

    The least area that is not further than t standard errors from 1, with Hanley and McNeil's variance at that
    area and both classes at their mean number (Newcombe, Stat. Med. 25, 2006, 559-573, method 5).
    """
    from scipy.optimize import brentq

    others = (ill + well) / 2 - 1

    def beyond(area: float) -> float:
        spread = 1 + others * ((1 - area) / (2 - area) + area / (1 + area))
        return (1 - area) - t**2 * area * spread / (ill * well)  # divided by 1 - area, which is a root of its own

    return float(brentq(beyond, 0.0, 1.0)) if ill > 0 and well > 0 else float("nan")
