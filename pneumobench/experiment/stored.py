"""What the store holds of an experiment: its trainings that have a model, and those that were cut off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from pneumobench.data.subset import Part
from pneumobench.errors import PneumobenchError
from pneumobench.evaluation.calibrator import Calibrator
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.context import Context, Training
from pneumobench.experiment.fit import UNCALIBRATED, Fitted
from pneumobench.tracking.runs import KINDS, tracked
from pneumobench.tracking.store import Store
from pneumobench.training import predictor
from pneumobench.training.predictor import Predictor

ENDED_EARLY = ("FAILED", "KILLED")
TRAINED = "trained"  # the tag of a run whose model is logged


@dataclass(frozen=True)
class Stored:
    """A training whose model is in the store, with its predictions; as `Fitted`, and loaded when it is needed."""

    store: Store
    run: Any
    held_out: tuple[np.ndarray, ...] = ()  # the hashes of the images that each fold holds out

    @property
    def run_id(self) -> str:
        """Its run."""
        return str(self.run.info.run_id)

    @property
    def parent(self) -> str | None:
        """The experiment's run, where it holds several trainings."""
        return self.run.data.tags.get("mlflow.parentRunId")

    @property
    def is_scored(self) -> bool:
        """Whether the test images were predicted."""
        return "test_auroc" in self.run.data.metrics

    @property
    def looks(self) -> int:
        """The looks at the test images that were recorded before its own; 0 where they stayed closed."""
        return int(self.run.data.tags.get("looks", 0))

    @property
    def is_whole(self) -> bool:
        """Whether the model's files still exist where they were logged."""
        try:
            return (
                bool(self.run.outputs.model_outputs) and (self.store.model_folder(self.run) / predictor.CARD).exists()
            )
        except (PneumobenchError, OSError):
            return False

    @property
    def images_per_second(self) -> float:
        return float(self.run.data.metrics["training_images_per_second"])

    @property
    def parameters(self) -> int:
        return int(self.run.data.tags["parameters"])

    @property
    def precision(self) -> str:
        return str(self.run.data.tags["precision"])

    @cached_property
    def predictor(self) -> Predictor:
        """The model, with its training time and speed."""
        loaded, _ = predictor.load(self.store.model_folder(self.run))
        return replace(
            loaded,
            seconds=self.run.data.metrics["training_seconds"],
            images_per_second=self.images_per_second,
            parameters=self.parameters,
            precision=self.precision,
        )

    @property
    def calibrator(self) -> Calibrator | None:
        return self.predictor.calibrator if "calibrate" in self.run.data.tags else None

    @cached_property
    def validation(self) -> Predictions:
        return self._predictions("validation")

    @cached_property
    def uncalibrated(self) -> Predictions:
        return self._predictions("validation", UNCALIBRATED) if "calibrate" in self.run.data.tags else self.validation

    @property
    def folds(self) -> tuple[Predictions, ...]:
        return tuple(self.validation.take(np.isin(self.validation.hash, hashes)) for hashes in self.held_out)

    @cached_property
    def test(self) -> tuple[Predictions, Predictions] | None:
        """The predictions on the test images, and those before calibration; None where they stayed closed."""
        if not self.is_scored:
            return None
        after = self._predictions("test")
        return after, self._predictions("test", UNCALIBRATED) if "calibrate" in self.run.data.tags else after

    def predict_both(self, part: Part) -> tuple[Predictions, Predictions]:
        """As `Fitted.predict_both`."""
        return Fitted(self.predictor, self.validation, (), self.uncalibrated).predict_both(part)

    def _predictions(self, part: str, suffix: str = "") -> Predictions:
        found = tracked(self.store, self.run).predictions(part + suffix)
        assert found is not None, f"{part} of a run that holds it"
        return found


@dataclass(frozen=True)
class Held:
    """An experiment in the store: its trainings that have a model, the runs of those that were cut off, and the latest
    run that holds several of them, if any."""

    trained: Mapping[Training, Stored] = field(default_factory=dict)
    cut_off: Mapping[Training, Any] = field(default_factory=dict)
    parent: Any = None


def held(context: Context, store: Store, *, running: bool = False) -> Held:
    """What the store holds of the experiment, whatever its seeds and divisions; runs of other processes if `running`.

    Of the same training that was run twice, the one that was scored on the test images counts, then the later one.
    """
    trained: dict[Training, Stored] = {}
    cut_off: dict[Training, Any] = {}
    parents = []
    for run in store.tagged({"key": context.key}):
        tags = run.data.tags
        if run.info.status == "RUNNING" and not running:
            continue
        if tags.get("kind") == "seeds":
            parents.append(run)
        if tags.get("kind") not in KINDS:
            continue
        training = Training(int(tags["seed"]), int(tags["split_seed"]))
        if context.at(training).images.development.digest != tags["split_digest"]:  # divided otherwise
            continue
        one = Stored(store, run, held_out(context))
        if TRAINED in tags and (one.is_scored or one.is_whole):
            if training not in trained or (one.is_scored and not trained[training].is_scored):
                trained[training] = one
        elif run.info.status in ENDED_EARLY:
            cut_off.setdefault(training, run)
    return Held(trained, cut_off, next(iter(parents), None))


def held_out(context: Context) -> tuple[np.ndarray, ...]:
    """The hashes of the images that each fold of an experiment holds out."""
    return tuple(fold.validation.dataset.hashes for fold in context.images.folds)
