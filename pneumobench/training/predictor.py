"""A trained model: raw images -> probabilities of pneumonia, saved to and loaded from a folder."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data.decode import as_batch, resized
from pneumobench.data.subset import Part
from pneumobench.errors import TrackingError
from pneumobench.training import backend, returned
from pneumobench.training.trusted import untrusted

CARD = "predictor.json"
NETWORK, ESTIMATOR, EXTRACTOR, MEMBERS = "model.keras", "model.skops", "features.keras", "members"
BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Predictor(ABC):
    """A trained model and its view.

    `images_per_second` is the training speed after the first epoch (of the whole fit, for an estimator); `seconds`
    is the training time, including that of cached frozen features; `module` is the module to import for the
    plugin's custom Keras layers, "" if another process could not import it.
    """

    view: View
    images_per_second: float = 0.0
    seconds: float = 0.0
    parameters: int = 0
    precision: str = "float32"
    module: str = ""
    kind: ClassVar[str] = "keras"

    def __call__(self, part: Part) -> np.ndarray:
        """Probabilities of pneumonia, (n,) float64, for a part's images."""
        pixels = part.pixels(self.view)
        return np.concatenate([self.predict(as_batch(pixels[i : i + BATCH], self.view)) for i in _starts(len(part))])

    @abstractmethod
    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (n,) float64 for images (n, height, width, channels), 0 to 255."""

    def save(self, folder: Path, *, threshold: float) -> None:
        """Write the model without its optimizer, and a card with view, threshold and module, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder)
        card = {"view": asdict(self.view), "threshold": threshold, "plugin_module": self.module}
        (folder / CARD).write_text(json.dumps(card, indent=2))

    @abstractmethod
    def _write(self, folder: Path) -> None: ...


@dataclass(frozen=True, kw_only=True)
class NetworkPredictor(Predictor):
    """A keras.Model with one output (n, 1)."""

    model: Any

    def predict(self, images: np.ndarray) -> np.ndarray:
        return _outputs(self.model, images)[:, 0].astype(np.float64)

    def _write(self, folder: Path) -> None:
        self.model.save(folder / NETWORK)


@dataclass(frozen=True, kw_only=True)
class EstimatorPredictor(Predictor):
    """A fitted scikit-learn estimator over pixels, or over the features of a frozen `extractor`."""

    model: Any
    extractor: Any = None
    kind: ClassVar[str] = "sklearn"

    def __call__(self, part: Part) -> np.ndarray:
        if self.extractor is None:
            return super().__call__(part)
        from pneumobench.training.features import features

        return self._positive(features(self.extractor, part, self.view)[0])

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self._positive(flat(images) if self.extractor is None else _outputs(self.extractor, images))

    def _positive(self, X: np.ndarray) -> np.ndarray:
        return returned.probabilities(self.model.predict_proba(X), len(X))[:, 1]

    def _write(self, folder: Path) -> None:
        import skops.io

        skops.io.dump(self.model, folder / ESTIMATOR)
        if self.extractor is not None:
            self.extractor.save(folder / EXTRACTOR)


@dataclass(frozen=True, kw_only=True)
class MeanPredictor(Predictor):
    """The mean probability of several predictors, each with its own view."""

    members: tuple[Predictor, ...]
    kind: ClassVar[str] = "mean"

    def __call__(self, part: Part) -> np.ndarray:
        return np.mean([member(part) for member in self.members], axis=0)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """As in `Predictor`; images are resized from this predictor's view to each member's.

        Files are resized only once when a member reads them itself, so probabilities differ slightly.
        """
        return np.mean([member.predict(resized(images, member.view)) for member in self.members], axis=0)

    def _write(self, folder: Path) -> None:
        for number, member in enumerate(self.members):
            member.save(folder / MEMBERS / str(number), threshold=0.5)


def mean(members: list[Predictor]) -> MeanPredictor:
    """The mean of several predictors, with the largest of their views."""
    views = [member.view for member in members]
    return MeanPredictor(
        members=tuple(members),
        view=View(
            max(view.height for view in views),
            max(view.width for view in views),
            channels=max(view.channels for view in views),
        ),
        images_per_second=float(np.mean([member.images_per_second for member in members])),
        seconds=sum(member.seconds for member in members),
        parameters=sum(member.parameters for member in members),
        precision=", ".join(sorted({member.precision for member in members})),
    )


def load(folder: Path) -> tuple[Predictor, dict[str, Any]]:
    """The predictor in a folder that `save` wrote, and its card.

    No code from the file is run: networks are loaded in Keras' safe mode, estimators by skops with trusted types.
    Raises: TrackingError if the folder holds no model that can be loaded this way.
    """
    card = json.loads((folder / CARD).read_text())
    view, module = View(**card["view"]), card["plugin_module"]
    if (folder / MEMBERS).is_dir():
        parts = sorted((folder / MEMBERS).iterdir(), key=lambda path: int(path.name))
        return replace(mean([load(path)[0] for path in parts]), view=view), card
    if (folder / NETWORK).exists():
        return NetworkPredictor(model=_network(folder / NETWORK), view=view, module=module), card
    if not (folder / ESTIMATOR).exists():
        raise TrackingError(f"no model in {folder}: none of {NETWORK}, {ESTIMATOR} and {MEMBERS}")
    import skops.io

    types = skops.io.get_untrusted_types(file=folder / ESTIMATOR)
    if refused := untrusted(types):
        raise TrackingError(f"the model in {folder} holds types that are not trusted: {', '.join(refused)}")
    extractor = _network(folder / EXTRACTOR) if (folder / EXTRACTOR).exists() else None
    fitted = skops.io.load(folder / ESTIMATOR, trusted=types)
    return EstimatorPredictor(model=fitted, extractor=extractor, view=view, module=module), card


def flat(images: np.ndarray) -> np.ndarray:
    """Images (n, height, width, channels), 0 to 255, as an estimator's input (n, pixels), 0 to 1."""
    return images.reshape(len(images), -1) / np.float32(255)


def _outputs(network: Any, images: np.ndarray) -> np.ndarray:
    return np.concatenate([backend.outputs(network, images[i : i + BATCH]) for i in _starts(len(images))])


def _network(path: Path) -> Any:
    try:
        return backend.keras().saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError) as error:  # raised by Keras' safe mode
        reason = " ".join(str(error).split())[:300]
        raise TrackingError(f"the network in {path} cannot be loaded without running its code: {reason}") from error


def _starts(count: int) -> range:
    return range(0, count, BATCH)
