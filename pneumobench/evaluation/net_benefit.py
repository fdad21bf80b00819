"""The decision curve: what acting on a model is worth where a threshold states the harm of false alarms."""

from __future__ import annotations

import numpy as np

THRESHOLDS = np.arange(1, 100) / 100


def net_benefit(labels: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray = THRESHOLDS) -> np.ndarray:
    """TP/n - FP/n × t/(1 - t) at each threshold t in (0, 1), (thresholds,): true positives an image, net of false ones.

    Vickers and Elkin, "Decision curve analysis: a novel method for evaluating prediction models", Med. Decis. Making
    26, 2006. An image at or above the threshold is treated.
    """
    return benefits(labels, probabilities, np.ones((1, len(labels))), thresholds)[0]


def benefits(
    labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray, thresholds: np.ndarray = THRESHOLDS
) -> np.ndarray:
    """The same, (resamples, thresholds), for image weights W (resamples, n)."""
    order = np.argsort(probabilities, kind="stable")
    first = np.searchsorted(probabilities[order], thresholds, "left")
    ill, well = (
        np.pad(np.cumsum(W[:, order] * (labels[order] == label), axis=1, dtype=np.float64), ((0, 0), (1, 0)))
        for label in (1, 0)
    )
    true, false = (total[:, -1:] - total[:, first] for total in (ill, well))
    return (true - false * thresholds / (1 - thresholds)) / (ill[:, -1:] + well[:, -1:])


def of_treating_all(labels: np.ndarray, thresholds: np.ndarray = THRESHOLDS) -> np.ndarray:
    """The net benefit of treating everybody, (thresholds,); that of treating nobody is 0."""
    return benefits(labels, np.ones(len(labels)), np.ones((1, len(labels))), thresholds)[0]
