"""Figures of models whose thresholds are chosen anew on resampled validation patients."""

from __future__ import annotations

import zlib

import numpy as np

from pneumobench.evaluation import bootstrap, metrics, operating_point
from pneumobench.evaluation.predictions import Predictions


def thresholds(validation: Predictions, resamples: int, seed: int) -> np.ndarray:
    """The thresholds (resamples,) that a model's own rule gives on resampled validation patients.

    Models that were validated on the same images see the same resamples. A resample that lacks a class keeps the
    model's threshold.
    """
    own = validation.operating
    images = zlib.crc32("\n".join(validation.hash.astype(str)).encode())

    def chosen(W: np.ndarray) -> dict[str, np.ndarray]:
        return {"": operating_point.choose_all(own.rule, validation.probability, validation.label, W)[0]}

    anew = bootstrap.over_patients(chosen, validation.patient, resamples, (seed, images))[""]
    return np.where(np.isnan(anew), own.threshold, anew)


def figures(model: Predictions, metric: str, at: np.ndarray, W: np.ndarray) -> np.ndarray:
    """A metric (resamples,) for image weights W (resamples, n), each row at its own threshold of `at` (resamples,)."""
    values = np.empty(len(W))
    for threshold in np.unique(at):
        rows = np.flatnonzero(at == threshold)
        values[rows] = metrics.one(metric, model.label, model.probability, model.subtype, threshold, W[rows])
    return values
