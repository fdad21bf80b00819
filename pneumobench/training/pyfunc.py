"""The MLflow flavour of our models: `mlflow.pyfunc.load_model` imports this module and calls `_load_pyfunc`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.training import predictor


class Served:
    """A predictor with MLflow's interface: `predict(images)` returns probabilities of pneumonia."""

    def __init__(self, folder: Path):
        self.predictor, self.card = predictor.load(folder)

    def predict(self, images: Any, params: dict[str, Any] | None = None) -> np.ndarray:
        """Probabilities (n,) float64 for raw images (n, height, width, channels), 0 to 255."""
        return self.predictor.predict(np.asarray(images, np.float32))


def _load_pyfunc(path: str) -> Served:
    return Served(Path(path))
