"""All trainings of an experiment, asked together about one image that is never stored."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.data import decode, seen
from pneumobench.errors import DataError, PneumobenchError, UsageError
from pneumobench.evaluation.words import number, plural
from pneumobench.experiment import predict
from pneumobench.experiment.predict import ImageResult, Model
from pneumobench.tracking.runs import chosen, experiments, of_store
from pneumobench.tracking.store import CHAMPION, Store
from pneumobench.training.gradcam import gradcam, is_network
from pneumobench.training.overlay import overlay
from pneumobench.utils import files
from pneumobench.utils.hashing import content_hash

SIDE = 512  # pixels of a picture's longer side
FIGURES = ("sensitivity", "specificity")


@dataclass(frozen=True)
class Answer:
    """What the trainings say of one image, in figures, in words and in pictures (addresses that hold them).

    `voices` are each training's seed, probability, threshold and label; `heat` is None where no network was asked.
    """

    mean: float
    voices: Sequence[Mapping[str, Any]]
    headline: str
    sentences: Sequence[str]
    warnings: Sequence[str]
    picture: str
    heat: str | None


@dataclass
class Panel:
    """The models of one experiment, the images that they were made with, and the content hashes of its test images."""

    store: Store
    models: Sequence[Model]
    known: Mapping[str, str] = field(default_factory=dict)  # content hash -> use, of images that they were made with
    tested: Sequence[str] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def title(self) -> str:
        """Which models these are."""
        first = self.models[0].tags
        return f"{first['plugin']}, {plural(len(self.models), 'training')} on {first['dataset']}"

    @property
    def is_phantom(self) -> bool:
        """Whether they were trained on synthetic images."""
        return self.models[0].tags["dataset"] == "phantom"

    def meaning(self) -> list[str]:
        """What a threshold is, and what these did on images whose answer is known."""
        rule = self.models[0].tags.get("operating_point")
        lines = [
            f"From the threshold on a probability is called PNEUMONIA. It was chosen on validation images by the rule "
            f"{rule}, and is stored with the model."
        ]
        dataset = self.models[0].tags["dataset"]
        for part in ("test", "validation"):
            figures = {name: self._figure(part, name) for name in FIGURES}
            if all(value == value for value in figures.values()):
                found, spared = (100 * figures[name] for name in FIGURES)
                lines.append(
                    f"On the {part} images of {dataset} that found {found:.0f} of 100 with pneumonia, "
                    f"and called {spared:.0f} of 100 without it normal; elsewhere this may be otherwise."
                )
                break
        return lines

    def ask(self, content: bytes) -> Answer:
        """The answer for an image's bytes. Raises: DataError in one line for what cannot be read."""
        with self._lock, files.unstored(content) as path:
            # before its pixels are read, as everywhere
            is_test = bool(predict.record_look_at(self.models[0], self.store, self.tested, [path]))
            said = [next(iter(model([path]))) for model in self.models]
            if said[0].error is not None:
                raise DataError(f"this file cannot be read as an image: {said[0].error.replace(str(path), 'it')}")
            voices = [
                {
                    "seed": int(model.tags["seed"].split(",")[0]),
                    "probability": one.probability,
                    "threshold": model.threshold,
                    "label": one.label,
                }
                for model, one in zip(self.models, said, strict=True)
            ]
            picture, heat = self._pictures(path)
            return Answer(
                mean=float(np.mean([voice["probability"] for voice in voices])),
                voices=voices,
                headline=headline(voices),
                sentences=[spread(voices), *self.meaning()],
                warnings=self._warnings(path, said, is_test=is_test),
                picture=picture,
                heat=heat,
            )

    def _figure(self, part: str, name: str) -> float:
        values = [self.metrics(model).get(f"{part}_{name}", float("nan")) for model in self.models]
        return float(np.mean(values))

    def metrics(self, model: Model) -> Mapping[str, float]:
        """What is tracked of a model's training."""
        run = self.store.run(model.run_id)
        return {} if run is None else run.data.metrics

    def _pictures(self, path: Path) -> tuple[str, str | None]:
        plain = decode.thumbnail(path, SIDE)
        networks = [model.served.predictor for model in self.models if is_network(model.served.predictor)]
        if not networks:
            return decode.uri(plain), None
        try:
            heats = [
                gradcam(one, decode.as_batch(decode.decode(path, one.view)[None], one.view))[0] for one in networks
            ]
        except UsageError:  # a network without a layer that has places
            return decode.uri(plain), None
        return decode.uri(plain), decode.uri(overlay(plain, np.mean(heats, axis=0)))

    def _warnings(self, path: Path, said: Sequence[ImageResult], *, is_test: bool) -> list[str]:
        lines = [
            f"Unlike what the model was trained on: {reason}. The answer means nothing then."
            for reason in said[0].warnings
        ]
        use = self.known.get(content_hash(path))
        if use:
            lines.append(f"This very image is among the model's own {use} images: its answer shows nothing new.")
        if is_test:
            lines.append("This very image is a test image of the model's data set: the look is recorded in the ledger.")
        if self.is_phantom:
            lines.append("The model was trained on synthetic images: what it says of an X-ray means nothing.")
        return lines


def headline(voices: Sequence[Mapping[str, Any]]) -> str:
    """What is said, and by how many trainings: "PNEUMONIA", "2 of 3 trainings say PNEUMONIA"."""
    ill = sum(voice["label"] == "PNEUMONIA" for voice in voices)
    if len(voices) == 1:
        return str(voices[0]["label"])
    word, count = ("PNEUMONIA", ill) if 2 * ill >= len(voices) else ("NORMAL", len(voices) - ill)
    return f"{count} of {len(voices)} trainings say {word}"


def spread(voices: Sequence[Mapping[str, Any]]) -> str:
    """What the range over trainings is, and what it is not."""
    said = [voice["probability"] for voice in voices]
    low, high = (number(pick(voice["threshold"] for voice in voices)) for pick in (min, max))
    at = f"threshold {low}" if low == high else f"thresholds {low} to {high}"
    if len(said) == 1:
        return f"Probability {number(said[0])}, {at}. Of one training; how much another seed would change is not known."
    return (
        f"Probability {number(float(np.mean(said)))}, the mean of {len(said)} trainings that differ in their seed; "
        f"they say {number(min(said))} to {number(max(said))}, {at}. That range is their disagreement, and no "
        "confidence interval for this patient."
    )


def gather(store: Store, name: str = CHAMPION) -> Panel:
    """The models that a run's id, a plugin's name or "champion" means, loaded.

    Of a plugin's experiments it is that of most trainings, the latest of equals.
    Raises: UsageError where there is none, or where their models are not in this store.
    """
    if name == CHAMPION:
        models = [predict.find(store)]
    else:
        runs = of_store(store) if store.exists else []
        of_plugin = [run for run in runs if run.plugin == name]
        found = max(experiments(of_plugin or chosen(runs, [name])), key=lambda one: len(one.runs))
        models = [predict.find(store, run.run_id) for run in found.runs]
    return Panel(store, models, _made_with(store, models), predict.test_images(models[0], store))


def _made_with(store: Store, models: Sequence[Model]) -> dict[str, str]:
    known: dict[str, str] = {}
    for model in models:
        try:
            own = seen.read(store.file(model.run_id, seen.FILE))
        except PneumobenchError:  # of an older version, which kept no list
            continue
        known |= dict(zip(own.hashes.tolist(), own.uses.tolist(), strict=True))
    return known
