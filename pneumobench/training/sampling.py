"""Resampling and weighting of the training images."""

from __future__ import annotations

import numpy as np

from pneumobench.authoring.recipe import Estimator, Recipe
from pneumobench.training import returned


def sample(plugin: Recipe | Estimator, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Indices (m,) into the training images, and weights (m,) or None: `resample` first, then `weigh`."""
    rows = np.arange(len(labels))
    if plugin.resample is not None:
        rows = returned.rows(plugin.resample(labels, seed), len(labels))
    return rows, None if plugin.weigh is None else returned.weights(plugin.weigh(labels[rows]), len(rows))
