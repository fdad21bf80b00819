"""The MLflow flavour of our models: `mlflow.pyfunc.load_model` imports this module and calls `_load_pyfunc`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring import registry
from pneumobench.errors import PluginError
from pneumobench.training import predictor


class Served:
    """A predictor with MLflow's interface: `predict(images)` returns probabilities of pneumonia."""

    def __init__(self, folder: Path):
        import json

        for card in folder.rglob(predictor.CARD):  # each member of an ensemble has its own card
            module = json.loads(card.read_text())["plugin_module"]
            try:
                if module:
                    import_module(_known(module))  # registers the plugin's custom Keras layers
            except ImportError as error:
                raise PluginError(f"this model needs its plugin, {module}, to be installed: {error}") from error
        self.predictor, self.card = predictor.load(folder)

    def predict(self, images: Any, params: dict[str, Any] | None = None) -> np.ndarray:
        """Probabilities (n,) float64 for raw images (n, height, width, channels), 0 to 255."""
        return self.predictor.predict(np.asarray(images, np.float32))


def _known(module: str) -> str:
    """The module, if it is a plugin or of a plugin's package: a card must not be able to import arbitrary code.

    Raises: PluginError otherwise.
    """
    for entry in registry.entries().values():
        top = entry.module.partition(".")[0]
        if module == entry.module or (top not in ("pneumobench", "") and module.startswith(f"{top}.")):
            return module
    raise PluginError(f"this model needs its plugin, {module}, to be installed: no plugin is of that module")


def _load_pyfunc(path: str) -> Served:
    return Served(Path(path))
