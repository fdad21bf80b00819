"""The one flow: images, a split, trainings, one look at the test images, and what can be claimed."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench import knobs as knobbing
from pneumobench import provenance, record, registry
from pneumobench.data import dataset as datasets
from pneumobench.data import source
from pneumobench.data import split as splitting
from pneumobench.data.dataset import CLASSES
from pneumobench.data.lockbox import Look
from pneumobench.data.parts import Development
from pneumobench.errors import UsageError
from pneumobench.evidence import evaluation, operating_point
from pneumobench.evidence.evaluation import Predictions
from pneumobench.evidence.result import Result, SeedResult
from pneumobench.progress import Progress
from pneumobench.tracking.store import Store
from pneumobench.training import backend, trainer
from pneumobench.training.precision import check as check_precision
from pneumobench.training.predictor import Predictor


def run(
    plugin: str,
    *,
    data: str | Path | None = None,
    split: str = "patient",
    split_seed: int = 0,
    seeds: int = 1,
    seed: int = 0,
    knobs: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    precision: str = "auto",
    limit: int | None = None,
    operating: str = "youden",
    test: bool = True,
    skip_unreadable: bool = False,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Train a plugin on `seeds` seeds from `seed` on, score it, and track everything.

    Several seeds are trained first and then scored in one look at the test images.
    Raises: UsageError, PluginError or DataError before anything is tracked; any error after that ends the
    MLflow run as FAILED.
    """
    progress = progress or Progress()
    clock = Clock()

    # all that can be refused without an image is refused before one is read
    entry, recipe = registry.find(plugin), registry.load(plugin)
    values = knobbing.resolve(recipe, knobs or {})
    trainer.check(recipe, epochs, plugin)
    check_precision(precision)
    splitting.check(split)
    rule = operating_point.check_rule(operating)
    if seeds < 1:
        raise UsageError(f"--seeds is at least 1, not {seeds}")
    store = Store(tracking_uri)

    with clock("load"):
        progress.stage("reading file names and hashes")
        found = source.find(data, progress.stage)
        if found.fallback:
            progress.note(source.FALLBACK)
        dataset = datasets.load(found.root, skip_unreadable=skip_unreadable, advance=progress.advance)
        if limit is not None:
            dataset = splitting.limit(dataset, limit)
        development, lockbox = splitting.split(dataset, policy=split, seed=split_seed)
    with clock("decode"):
        progress.stage("decoding")
        view = trainer.view_of(recipe, values)
        if skip_unreadable:
            development = development.readable(view, progress.advance)
        development.training.pixels(view, progress.advance)
        development.validation.pixels(view)
    notes = [*_notes(dataset, limit), *development.notes]
    for note in notes:
        progress.note(note)
    with clock("start"):
        progress.stage("starting Keras")
        backend.keras()
    with clock("track"):
        progress.stage("opening the tracking store")
        store.close_abandoned()

    tags = _tags(plugin, dataset, development.digest, split, split_seed, limit, rule)
    about = record.About(entry, recipe, values, epochs, dataset, development, tags)
    numbers = range(seed, seed + seeds)
    with record.recording_of(about, store, numbers) as tracked:
        predictors: dict[int, Predictor] = {}
        validation: dict[int, Predictions] = {}
        for number in numbers:
            with clock("train"):
                predictors[number] = trainer.train(
                    recipe,
                    development,
                    values,
                    seed=number,
                    epochs=epochs,
                    precision=precision,
                    on_epoch=tracked.on_epoch(number),
                    progress=progress,
                    name=plugin,
                )
            with clock("evaluate"):
                progress.stage("choosing the threshold on validation")
                probabilities = predictors[number](development.validation)
                point = operating_point.choose(rule, probabilities, development.validation.labels)
                validation[number] = Predictions(development.validation, probabilities, point)

        scored: dict[int, Predictions] = {}
        looks = sum(look.fingerprint == dataset.fingerprint for look in store.ledger.looks())
        lost = [*dataset.unreadable, *development.lost]
        if test:
            with clock("evaluate"):
                # the ledger is written before an image is read
                opened = lockbox.open(store.ledger, _look(tracked.parent.run_id, plugin, dataset))
                progress.stage("scoring the test images")
                if skip_unreadable:
                    opened = opened.readable(view)
                    lost += opened.lost
                for number, predictor in predictors.items():
                    scored[number] = Predictions(opened, predictor(opened), validation[number].operating)
        if lost:
            notes.append(f"{len(lost)} unreadable images left out: {', '.join(lost)}")
            progress.note(notes[-1])
            tracked.tags({"unreadable": len(lost), "unreadable_files": ", ".join(lost)})

        with clock("evaluate"):
            progress.stage("resampling patients for the intervals")
            parts = {"validation": validation} | ({"test": scored} if test else {})
            by_seed = {
                number: {part: evaluation.evaluate([of[number]]) for part, of in parts.items()} for number in numbers
            }
            overall = by_seed[seed]
            if seeds > 1:
                overall = {part: evaluation.evaluate(list(of.values())) for part, of in parts.items()}

        with clock("track"):
            progress.stage("writing to the tracking store")
            for number, predictor in predictors.items():
                of_seed = {part: of[number] for part, of in parts.items()}
                tracked.finish_seed(number, predictor, of_seed, by_seed[number])
        first = predictors[seed]
        result = Result(
            run_id=tracked.parent.run_id,
            plugin=plugin,
            knobs=values,
            epochs=epochs,
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            split=split,
            split_seed=split_seed,
            operating_point=rule,
            counts=_counts(development, dataset),
            validation=overall["validation"],
            test=overall.get("test"),
            majority=evaluation.majority(dataset.labels[dataset.origins == "test"]),
            published=evaluation.published(),
            runs=tuple(
                SeedResult(
                    number,
                    tracked.runs[number].run_id,
                    validation[number].operating,
                    by_seed[number]["validation"],
                    by_seed[number].get("test"),
                )
                for number in numbers
            ),
            seconds=clock.seconds(),
            images_per_second=float(np.mean([p.images_per_second for p in predictors.values()])),
            parameters=first.parameters,
            precision=first.precision,
            device=backend.device(),
            backend=backend.name(),
            looks=looks,
            limit=limit,
            notes=tuple(notes),
        )
        tracked.finish(overall, scored, result.as_dict())
    return result


class Clock:
    """Seconds by phase, and in all since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._spent[phase] = self._spent.get(phase, 0.0) + time.perf_counter() - began

    def seconds(self) -> dict[str, float]:
        """Seconds of each phase, and `total`."""
        return {**self._spent, "total": time.perf_counter() - self._began}


def _notes(dataset: datasets.Dataset, limit: int | None) -> list[str]:
    notes = []
    if dataset.unmatched:
        notes.append(f"{dataset.unmatched:,} file names match no patient rule: each is its own patient")
    if limit is not None:
        notes.append(f"--limit {limit}: {len(dataset):,} images; not a result on the whole dataset")
    return notes


def _tags(
    plugin: str,
    dataset: datasets.Dataset,
    digest: str,
    split: str,
    split_seed: int,
    limit: int | None,
    rule: str,
) -> dict[str, Any]:
    versions = ", ".join(f"{name} {number}" for name, number in provenance.versions().items())
    return {
        "plugin": plugin,
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "split": split,
        "split_seed": split_seed,
        "split_digest": digest,
        "operating_point": rule,
        "backend": backend.name(),
        "device": backend.device(),
        "git_commit": provenance.commit(),
        "versions": versions,
        "command": _command(),
    } | ({} if limit is None else {"limit": limit})


def _look(run_id: str, plugin: str, dataset: datasets.Dataset) -> Look:
    return Look(
        when=provenance.now(),
        command=_command(),
        plugin=plugin,
        run=run_id,
        commit=provenance.commit(),
        fingerprint=dataset.fingerprint,
        dataset=dataset.name,
        user=getpass.getuser(),
    )


def _command() -> str:
    """The command line, or "library use" where a program called `run`."""
    name = Path(sys.argv[0]).name
    is_ours = name in ("pneumobench", "pneumobench.exe") or Path(sys.argv[0]).parent.name == "pneumobench"
    return " ".join(["pneumobench", *sys.argv[1:]]) if is_ours else "library use"


def _counts(development: Development, dataset: datasets.Dataset) -> dict[str, dict[str, int]]:
    labels = {
        "training": development.training.labels,
        "validation": development.validation.labels,
        "test": dataset.labels[dataset.origins == "test"],
    }
    return {
        part: dict(zip(CLASSES, np.bincount(values, minlength=2).tolist(), strict=True))
        for part, values in labels.items()
    }
