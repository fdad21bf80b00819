"""The decision curve: what acting on a model is worth where a threshold states the harm of false alarms."""

from __future__ import annotations

import numpy as np

THRESHOLDS = np.arange(1, 100) / 100


def net_benefit(labels: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray = THRESHOLDS) -> np.ndarray:
    """TP/n - FP/n × t/(1 - t) at each threshold t in (0, 1), (thresholds,): true positives an image, net of false ones.

    Vickers and Elkin, "Decision curve analysis: a novel method for evaluating prediction models", Med. Decis. Making
    26, 2006. An image at or above the threshold is treated.
    """
    order = np.argsort(probabilities, kind="stable")
    first = np.searchsorted(probabilities[order], thresholds, "left")
    ill = np.r_[0, np.cumsum(labels[order] == 1)]
    true = ill[-1] - ill[first]
    false = len(labels) - first - true
    return (true - false * thresholds / (1 - thresholds)) / len(labels)


def of_treating_all(labels: np.ndarray, thresholds: np.ndarray = THRESHOLDS) -> np.ndarray:
    """The net benefit of treating everybody, (thresholds,); that of treating nobody is 0."""
    ill = float(np.mean(labels == 1))
    return ill - (1 - ill) * thresholds / (1 - thresholds)
