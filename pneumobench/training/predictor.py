"""What a training gives: raw images -> probabilities of pneumonia, and a folder that holds it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.data.images import as_batch
from pneumobench.data.parts import Part
from pneumobench.errors import TrackingError
from pneumobench.recipe import View
from pneumobench.training import backend

CARD = "predictor.json"
BATCH = 128


@dataclass(frozen=True)
class Predictor:
    """A trained model and the view it was trained on.

    `model` is a keras.Model with one output or a fitted scikit-learn estimator; `images_per_second` is the
    training rate after the first epoch (of the whole fit, for an estimator), `seconds` what the training took.
    """

    model: Any
    view: View
    images_per_second: float = 0.0
    seconds: float = 0.0
    parameters: int = 0
    precision: str = "float32"

    @property
    def is_network(self) -> bool:
        """Whether the model is Keras', not scikit-learn's."""
        return not hasattr(self.model, "predict_proba")

    def __call__(self, part: Part) -> np.ndarray:
        """Probabilities of pneumonia, (n,) float64, for a part's images."""
        pixels = part.pixels(self.view)
        chunks = [self.predict(as_batch(pixels[i : i + BATCH], self.view)) for i in _starts(len(part))]
        return np.concatenate(chunks)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (n,) float64 for images (n, height, width, channels), 0 to 255."""
        if self.is_network:
            chunks = [self.model.predict_on_batch(images[i : i + BATCH]) for i in _starts(len(images))]
            output = np.concatenate(chunks)[:, 0]
        else:
            output = self.model.predict_proba(flat(images))[:, 1]
        return np.asarray(output, np.float64)

    def save(self, folder: Path, *, plugin_module: str, threshold: float) -> None:
        """Write the model without its optimizer, and a card of what is needed to use it, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.is_network:
            self.model.save(folder / "model.keras")
        else:
            import skops.io

            skops.io.dump(self.model, folder / "model.skops")
        card = {"view": asdict(self.view), "threshold": threshold, "plugin_module": plugin_module}
        (folder / CARD).write_text(json.dumps(card, indent=2))


def load(folder: Path) -> tuple[Predictor, dict[str, Any]]:
    """The predictor of a folder that `save` wrote, and its card.

    Runs no code from the file: Keras' safe mode, and skops with scikit-learn's own types.
    Raises: TrackingError where the folder holds no model that may be loaded.
    """
    card = json.loads((folder / CARD).read_text())
    view = View(**card["view"])
    if (folder / "model.keras").exists():
        model = backend.keras().saving.load_model(folder / "model.keras", compile=False, safe_mode=True)
    elif (folder / "model.skops").exists():
        import skops.io

        strange = skops.io.get_untrusted_types(file=folder / "model.skops")
        if strange:
            raise TrackingError(f"the model in {folder} holds types that are not trusted: {', '.join(strange)}")
        model = skops.io.load(folder / "model.skops")
    else:
        raise TrackingError(f"no model in {folder}: neither model.keras nor model.skops")
    return Predictor(model, view), card


def flat(images: np.ndarray) -> np.ndarray:
    """Images (n, height, width, channels), 0 to 255, as an estimator takes them: (n, pixels), 0 to 1."""
    return images.reshape(len(images), -1) / np.float32(255)


def _starts(count: int) -> range:
    return range(0, count, BATCH)
