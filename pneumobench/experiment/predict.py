"""Apply a tracked model to new images: which model, its predictions, and warnings about unusual images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pneumobench.data import listing
from pneumobench.data.decode import as_batch, decode
from pneumobench.data.lockbox import Look, unlock
from pneumobench.data.sanity import oddities, unlike
from pneumobench.errors import DataError, UsageError
from pneumobench.tracking.runs import TrackedRun, chosen, of_store
from pneumobench.tracking.store import CHAMPION, Store
from pneumobench.training.pyfunc import Served
from pneumobench.utils.hashing import content_hash


@dataclass(frozen=True)
class ImageResult:
    """A model's output for one image: probability and label, or why the image could not be read; and warnings."""

    image: str
    probability: float | None
    label: str | None
    warnings: tuple[str, ...]
    error: str | None = None


@dataclass(frozen=True)
class Model:
    """A loaded model with its threshold, and the tags of its training run."""

    run_id: str
    served: Served
    tags: dict[str, str]

    @property
    def threshold(self) -> float:
        """The operating threshold, chosen on validation."""
        return float(self.served.card["threshold"])

    @property
    def description(self) -> str:
        """How it was trained, in one line."""
        tags = self.tags
        images = f"{tags['dataset']} {tags['fingerprint'][:8]}" + (
            f", limit {tags['limit']}" if "limit" in tags else ""
        )
        return f"{tags['plugin']}, seed {tags['seed']}, on {images}; run {self.run_id[:8]}, {tags['command']}"

    def __call__(self, paths: Sequence[Path]) -> Iterator[ImageResult]:
        """Its output for each image, one after the other."""
        view = self.served.predictor.view
        known = json.loads(self.tags.get("greys", "{}"))  # runs of an older version have none
        for path in paths:
            try:
                grey = decode(path, view)
                warnings = (*oddities(path), *(unlike(grey, known) if known else ()))
            except (ValueError, OSError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                yield ImageResult(str(path), None, None, (), reason)
                continue
            probability = float(self.served.predict(as_batch(grey[None], view))[0])
            label = "PNEUMONIA" if probability >= self.threshold else "NORMAL"
            yield ImageResult(str(path), probability, label, warnings)


def find(store: Store, name: str = CHAMPION) -> Model:
    """The model of a run id, or the champion. Raises: UsageError where it does not exist."""
    if not store.exists:
        raise UsageError("no finished run is tracked here; `pneumobench run baseline` trains one")
    if name == CHAMPION:
        run_id = store.champion()
        if run_id is None:
            raise UsageError("no champion is set yet; `pneumobench champion RUN_ID` sets one, --model takes a run id")
    else:
        run_id = _run_id(store, name)
    run: Any = store.run(run_id)
    if run is not None and "imported" in run.data.tags:
        raise UsageError(f"run {run_id[:8]} was imported: its predictions are tracked, its model stayed elsewhere")
    if run is None or not run.outputs.model_outputs:
        raise UsageError(f"run {run_id[:8]} has no model in this store")
    return Model(run_id, Served(store.model_folder(run)), dict(run.data.tags))


def record_look(model: Model, store: Store, paths: Sequence[Path]) -> int:
    """Count the files that are test images of the model's dataset; if there are any, record a look in the ledger."""
    return record_look_at(model, store, test_images(model, store), paths)


def test_images(model: Model, store: Store) -> tuple[str, ...]:
    """The content hash of each test image of the model's dataset, from the predictions of any run scored on them."""
    scored = next((run.predictions("test") for run in of_store(store) if _is_scored(run, model)), None)
    return () if scored is None else tuple(scored.hash.tolist())


def record_look_at(model: Model, store: Store, known: Sequence[str], paths: Sequence[Path]) -> int:
    """`record_look` where the content hashes of the test images are known."""
    there = set(known)
    tested = sum(_hash(path) in there for path in paths)
    if tested:
        look = Look.now(
            plugin=model.tags["plugin"],
            run=model.run_id,
            fingerprint=model.tags["fingerprint"],
            dataset=model.tags["dataset"],
        )
        unlock(store.ledger, look, known)
    return tested


def _hash(path: Path) -> str | None:
    try:
        return content_hash(path)
    except OSError:  # reported when that image is predicted
        return None


def _is_scored(run: TrackedRun, model: Model) -> bool:
    alike = all(run.tags.get(name) == model.tags.get(name) for name in ("fingerprint", "limit"))
    return alike and run.looks is not None


def set_champion(store: Store, name: str) -> tuple[str, str]:
    """Make the model of a run the champion; returns the run's id, and the version of the registered model.

    Raises: UsageError for an unknown or imported run; TrackingError or PluginError for a model that cannot be loaded.
    """
    run_id = _run_id(store, name)
    run = store.run(run_id)
    if "imported" in run.data.tags:
        raise UsageError(f"run {run_id[:8]} was imported: its predictions are tracked, its model stayed elsewhere")
    if "permuted" in run.data.tags:
        raise UsageError(f"run {run_id[:8]} was trained on permuted labels; it can be no champion")
    find(store, run_id)
    return run_id, store.set_champion(run)


def images(names: Sequence[Path]) -> list[Path]:
    """The files, and all images in the folders, in the given order. Raises: DataError for a missing path."""
    files: list[Path] = []
    for name in names:
        if name.is_dir():
            try:
                inside = [name / path for path in listing.images(name)]
            except PermissionError as error:
                raise DataError(f"no permission to read {error.filename}") from None
            if not inside:
                raise DataError(f"{name} holds no image ({', '.join(sorted(listing.SUFFIXES))})")
            files += inside
        elif name.exists():
            files.append(name)
        else:
            raise DataError(f"no file or folder {name}")
    return files


def _run_id(store: Store, name: str) -> str:
    """The id of a training run: the run itself, or the only one of an experiment."""
    runs = chosen(of_store(store) if store.exists else [], [name])
    if len(runs) > 1:
        seeds = ", ".join(f"{run.run_id[:8]} (seed {run.seed})" for run in sorted(runs, key=lambda run: run.seed))
        raise UsageError(f"run {name} has {len(runs)} models; choose one of {seeds}")
    return runs[0].run_id
