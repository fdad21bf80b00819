"""A trained model: raw images -> probabilities of pneumonia, saved to and loaded from a folder."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data.decode import as_batch, resized
from pneumobench.data.subset import Part
from pneumobench.errors import TrackingError
from pneumobench.evaluation import calibrator
from pneumobench.evaluation.calibrator import Calibrator
from pneumobench.training import backend, feeding, model_files, plugin_code, probe, returned
from pneumobench.training.model_files import ESTIMATOR, EXTRACTOR, NETWORK
from pneumobench.training.trusted import untrusted

CARD, MEMBERS = "predictor.json", "members"
BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Predictor(ABC):
    """A trained model and its view.

    `images_per_second` is the training speed after the first epoch (of the whole fit, for an estimator); `seconds`
    is the training time, including that of cached frozen features; `module` is the module to import for the
    plugin's own layers and types; `notes` are lines for the user about a loaded model. The `calibrator`, if any, is
    part of the model.
    """

    view: View
    images_per_second: float = 0.0
    seconds: float = 0.0
    parameters: int = 0
    precision: str = "float32"
    module: str = ""
    notes: tuple[str, ...] = ()
    calibrator: Calibrator | None = None
    kind: ClassVar[str] = "keras"

    def __call__(self, part: Part) -> np.ndarray:
        """Probabilities of pneumonia, (n,) float64, for a part's images."""
        return self.calibrated(self.uncalibrated(part))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (n,) float64 for images (n, height, width, channels), 0 to 255."""
        return self.calibrated(self._raw(images))

    def calibrated(self, probabilities: np.ndarray) -> np.ndarray:
        """The probabilities (n,) that the model gives out for those before calibration."""
        return probabilities if self.calibrator is None else self.calibrator(probabilities)

    def uncalibrated(self, part: Part) -> np.ndarray:
        """Probabilities (n,) float64 for a part's images, before calibration."""
        pixels = part.pixels(self.view)
        return np.concatenate([self._raw(as_batch(pixels[i : i + BATCH], self.view)) for i in _starts(len(part))])

    @abstractmethod
    def _raw(self, images: np.ndarray) -> np.ndarray: ...

    def save(self, folder: Path, *, threshold: float) -> None:
        """Write the model without its optimizer, and a card with view, threshold and plugin, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder)
        card = {"view": asdict(self.view), "threshold": threshold, **plugin_code.record(self.module)}
        if self.calibrator is not None:
            card["calibration"] = self.calibrator.card()
        if self.module and model_files.needs_plugin(folder):
            card["probe"] = probe.outputs(self)
        (folder / CARD).write_text(json.dumps(card, indent=2))

    @abstractmethod
    def _write(self, folder: Path) -> None: ...


@dataclass(frozen=True, kw_only=True)
class NetworkPredictor(Predictor):
    """A keras.Model with one output (n, 1)."""

    model: Any

    def uncalibrated(self, part: Part) -> np.ndarray:
        """As in `Predictor`; pixels go to the device as they are kept."""
        pixels = part.pixels(self.view)
        return np.concatenate(list(feeding.outputs(self.model, pixels, self.view, BATCH)))[:, 0].astype(np.float64)

    def _raw(self, images: np.ndarray) -> np.ndarray:
        return _outputs(self.model, images)[:, 0].astype(np.float64)

    def _write(self, folder: Path) -> None:
        self.model.save(folder / NETWORK)


@dataclass(frozen=True, kw_only=True)
class EstimatorPredictor(Predictor):
    """A fitted scikit-learn estimator over pixels, or over the features of a frozen `extractor`."""

    model: Any
    extractor: Any = None
    kind: ClassVar[str] = "sklearn"

    def uncalibrated(self, part: Part) -> np.ndarray:
        """As in `Predictor`; the features of a frozen extractor are kept on disk."""
        if self.extractor is None:
            return super().uncalibrated(part)
        from pneumobench.training.features import features

        return self._positive(features(self.extractor, part, self.view)[0])

    def _raw(self, images: np.ndarray) -> np.ndarray:
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
    """The mean probability of several predictors, each with its own view.

    `predict` resizes images from this predictor's view to each member's. Files are resized only once when a member
    reads them itself, so probabilities differ slightly.
    """

    members: tuple[Predictor, ...]
    kind: ClassVar[str] = "mean"

    def uncalibrated(self, part: Part) -> np.ndarray:
        """As in `Predictor`."""
        return np.mean([member(part) for member in self.members], axis=0)

    def _raw(self, images: np.ndarray) -> np.ndarray:
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
        notes=tuple(dict.fromkeys(note for member in members for note in member.notes)),
    )


def load(folder: Path) -> tuple[Predictor, dict[str, Any]]:
    """The predictor in a folder that `save` wrote, and its card.

    No code from the file is run: networks are loaded in Keras' safe mode, estimators by skops with trusted types.
    What both need of the plugin's own code is imported from the plugin, and must predict what it did when saved.
    Raises: TrackingError if the folder holds no model that can be loaded this way; PluginError if its plugin cannot be.
    """
    card = json.loads((folder / CARD).read_text())
    view, correction = View(**card["view"]), calibrator.of_card(card.get("calibration"))
    if (folder / MEMBERS).is_dir():
        parts = sorted((folder / MEMBERS).iterdir(), key=lambda path: int(path.name))
        return replace(mean([load(path)[0] for path in parts]), view=view, calibrator=correction), card
    estimator = folder / ESTIMATOR
    if not (folder / NETWORK).exists() and not estimator.exists():
        raise TrackingError(f"no model in {folder}: none of {NETWORK}, {ESTIMATOR} and {MEMBERS}")
    if not estimator.exists() or (folder / EXTRACTOR).exists():
        backend.keras()  # before the plugin's file imports it
    layers = {
        name for file in (NETWORK, EXTRACTOR) if (folder / file).exists() for name in model_files.custom(folder / file)
    }
    types = [] if (folder / NETWORK).exists() else model_files.types(estimator)
    refused = untrusted(types)
    modules = plugin_code.provide(card, {*layers, *(name.rpartition(".")[2] for name in refused)})
    if foreign := [name for name in refused if not plugin_code.defined(modules, name)]:
        raise TrackingError(
            f"the model in {folder} holds types that are not trusted: {', '.join(foreign)}; trusted are "
            "scikit-learn's estimators, and what is defined at the top of the plugin's file"
        )
    common: dict[str, Any] = {"view": view, "module": card["plugin_module"], "calibrator": correction}
    with plugin_code.registered(modules, layers) if layers else nullcontext():
        if (folder / NETWORK).exists():
            loaded: Predictor = NetworkPredictor(model=model_files.network(folder / NETWORK), **common)
        else:
            import skops.io

            extractor = model_files.network(folder / EXTRACTOR) if (folder / EXTRACTOR).exists() else None
            loaded = EstimatorPredictor(model=skops.io.load(estimator, trusted=types), extractor=extractor, **common)
    return (replace(loaded, notes=probe.check(loaded, card)) if layers or refused else loaded), card


def flat(images: np.ndarray) -> np.ndarray:
    """Images (n, height, width, channels), 0 to 255, as an estimator's input (n, pixels), 0 to 1."""
    return images.reshape(len(images), -1) / np.float32(255)


def _outputs(network: Any, images: np.ndarray) -> np.ndarray:
    return np.concatenate([backend.outputs(network, images[i : i + BATCH]) for i in _starts(len(images))])


def _starts(count: int) -> range:
    return range(0, count, BATCH)
