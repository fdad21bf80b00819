"""Bands around a plugin's curve: 95 % of resampled patients and trainings, pointwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pneumobench.evaluation import bootstrap, metrics
from pneumobench.evaluation.predictions import Predictions

RESAMPLES = 200  # of a band, which is looked at and not read off
TAILS = (0.025, 0.975)
Models = Mapping[str, Sequence[Predictions]]
Curve = Callable[[Predictions, np.ndarray], np.ndarray]  # of a model, for image weights (resamples, n)


class Band(NamedTuple):
    """The mean of a plugin's trainings at each point (points,), and the ends of the band there."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def weights(models: Models) -> np.ndarray:
    """Resamples of the patients that all models share, (resamples, n), both classes in each."""
    first = next(iter(models.values()))[0]
    W = bootstrap.patient_weights(first.patient, RESAMPLES)
    return W[(W @ first.label > 0) & (W @ (1 - first.label) > 0)]


def mean(own: Sequence[Predictions], curve: Curve) -> np.ndarray:
    """A curve's mean over trainings on the images as they are, (points,)."""
    whole = metrics.whole(len(own[0]))
    return np.asarray(np.mean([curve(one, whole)[0] for one in own], axis=0))


def of(own: Sequence[Predictions], curve: Curve, W: np.ndarray) -> Band:
    """The band of a curve's mean over trainings, for resamples W of the patients."""
    drawn = np.stack([curve(one, W) for one in own])  # (trainings, resamples, points)
    low, high = np.quantile(drawn[chosen(len(own), len(W)), np.arange(len(W))].mean(0), TAILS, axis=0)
    return Band(mean(own, curve), low, high)


def chosen(trainings: int, resamples: int) -> np.ndarray:
    """Which trainings each resample takes, (trainings, resamples), drawn with replacement."""
    return np.random.default_rng(0).integers(trainings, size=(trainings, resamples))
