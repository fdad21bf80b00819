"""Resampling and weighting of the training images."""

from __future__ import annotations

import numpy as np

from pneumobench.authoring.recipe import Estimator, Recipe


def sample(plugin: Recipe | Estimator, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Indices (m,) into the training images, and weights (m,) or None: `resample` first, then `weigh`."""
    rows = np.arange(len(labels)) if plugin.resample is None else plugin.resample(labels, seed)
    return rows, None if plugin.weigh is None else plugin.weigh(labels[rows])
