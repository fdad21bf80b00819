"""Tracked models as they were frozen, and their predictions for a part of any images: nothing is trained or tuned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.comparison import select
from pneumobench.data import seen
from pneumobench.data.dataset import Dataset
from pneumobench.data.seen import Seen
from pneumobench.data.subset import Part
from pneumobench.errors import TrackingError, UsageError
from pneumobench.evaluation import predictions
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment import predict
from pneumobench.tracking.runs import Experiment, TrackedRun, of_store
from pneumobench.tracking.store import Store
from pneumobench.training.predictor import MeanPredictor, Predictor
from pneumobench.utils.progress import Progress


@dataclass(frozen=True, eq=False)
class Frozen:
    """An experiment with each of its trained models, in the order of its runs."""

    name: str
    experiment: Experiment
    predictors: tuple[Predictor, ...]

    @property
    def views(self) -> list[View]:
        """The image shapes that its models take."""
        return [view for predictor in self.predictors for view in _views(predictor)]

    def predict(self, part: Part) -> list[Predictions]:
        """Each model's predictions for a part, at the threshold that its own validation chose."""
        return [
            predictions.of([part.dataset], [predictor(part)], point_of(run))
            for predictor, run in zip(self.predictors, self.experiment.runs, strict=True)
        ]


def point_of(run: TrackedRun) -> OperatingPoint:
    """The operating point that is frozen with a run's model."""
    rule, ties = run.tags["operating_point"], int(run.metrics["threshold_ties"])
    return OperatingPoint(run.metrics["threshold"], rule, ties)


def load(store: Store, names: Sequence[str], progress: Progress) -> list[Frozen]:
    """The models of what is named, or of what a comparison would pick.

    Raises: UsageError where there is none; TrackingError for a model that cannot be loaded.
    """
    runs = of_store(store) if store.exists else []
    if not runs:
        raise UsageError("no finished run is tracked here; `pneumobench run baseline` makes one")
    picked = select.frozen(runs, names)
    found = []
    for one in picked:
        progress.stage(f"loading {one.name}")
        predictors = tuple(predict.find(store, run.run_id).served.predictor for run in one.runs)
        found.append(Frozen(select.label(one, picked), one, predictors))
    return found


def check_kind(models: Sequence[Frozen], dataset: Dataset) -> None:
    """Raises: UsageError where the phantom and real images would meet."""
    for one in models:
        if (one.experiment.tags["dataset"] == select.PHANTOM) != dataset.is_phantom:
            trained = one.experiment.tags["dataset"]
            raise UsageError(
                f"{one.name} was trained on {trained} and {dataset.name} is not of its kind: the phantom's"
            )


def refuse_seen(models: Sequence[Frozen], dataset: Dataset, store: Store) -> list[str]:
    """Lines on what could not be checked. Raises: DataError that names images of a model's own data, by content."""
    lines = []
    for one in models:
        for run in one.experiment.runs:
            known = _made_with(store, run)
            if known is None:
                known = _predicted(run, "validation")
                lines.append(f"{one.name}: its run is older than lists of training images; its validation is checked")
            for own in (known, _predicted(run, "test")):
                seen.refuse_same(dataset, own, one.name)
    return list(dict.fromkeys(lines))


def refuse_alike(models: Sequence[Frozen], dataset: Dataset, store: Store, progress: Progress) -> list[str]:
    """The same for images that are almost those; reads pixels, so that the look has to be recorded before."""
    lines, done = [], set()
    for one in models:
        for run in one.experiment.runs:
            known, root = _made_with(store, run), _root(store, run)
            if known is None or root is None:
                lines.append(f"near duplicates of what {one.name} was made with were not looked for: not recorded")
                continue
            images = (str(root), frozenset(known.hashes.tolist()))
            if images not in done:
                done.add(images)
                lines.append(seen.refuse_alike(dataset, known, root, one.name, progress))
    return [line for line in dict.fromkeys(lines) if line]


def _views(predictor: Predictor) -> list[View]:
    if isinstance(predictor, MeanPredictor):
        return [view for member in predictor.members for view in _views(member)]
    return [predictor.view]


def _made_with(store: Store, run: TrackedRun) -> Seen | None:
    """The images that a run's model was made with; None where they were not recorded."""
    try:
        return seen.read(store.file(run.run_id, seen.FILE))
    except TrackingError:
        return None


def _predicted(run: TrackedRun, part: str) -> Seen:
    own = run.predictions(part)
    none = np.array([], str)
    return Seen(none, none, none) if own is None else Seen(own.image, own.hash, np.full(len(own), part))


def _root(store: Store, run: TrackedRun) -> Path | None:
    """The folder that a run's images lay in."""
    tracked: Any = store.run(run.run_id)
    for used in tracked.inputs.dataset_inputs if tracked else ():
        if used.dataset.digest == run.tags["fingerprint"]:
            return Path(json.loads(used.dataset.source)["uri"])
    return None
