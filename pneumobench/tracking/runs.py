"""Finished trainings as they are kept, in a store or in an exported folder, and gathered into experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pneumobench.errors import UsageError
from pneumobench.evaluation import predictions
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking.store import Store

KINDS = ("run", "seed", "folds")  # of runs that hold one model each
SAME = ("plugin", "plugin_digest", "fingerprint", "split_digest", "operating_point", "folds", "limit", "files")
LEAST = 6  # characters of a run id that name it


@dataclass(frozen=True, eq=False)
class TrackedRun:
    """One training: what was asked for, what it took, and where its per-image predictions are.

    `started` is ISO 8601, UTC; `looks` counts the openings of the same test images before this run's, None
    where it did not open them; `parent` is the run of its experiment, its own where it has no other.
    """

    run_id: str
    parent: str
    started: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    looks: int | None
    file: Callable[[str], Path | None]  # part -> its Parquet file

    @property
    def plugin(self) -> str:
        """The plugin's name."""
        return self.tags["plugin"]

    @property
    def seed(self) -> int:
        """The training seed."""
        return int(self.tags["seed"])

    def predictions(self, part: str) -> Predictions | None:
        """What the model says of "validation" or "test"; None where the test images stayed closed."""
        path = self.file(part)
        point = OperatingPoint(
            self.metrics["threshold"], self.tags["operating_point"], int(self.metrics["threshold_ties"])
        )
        return None if path is None else predictions.read(path, point)


@dataclass(frozen=True, eq=False)
class Experiment:
    """Trainings that differ in nothing but the seed, in its order."""

    runs: tuple[TrackedRun, ...]

    @property
    def plugin(self) -> str:
        """The plugin's name."""
        return self.runs[0].plugin

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the first seed; those that make it the same experiment are the same in all."""
        return self.runs[0].tags

    @property
    def name(self) -> str:
        """The plugin, and in brackets what was not left at its default: knobs, split, folds, epochs and the like."""
        tags, usual = self.tags, {"split": "patient", "split_seed": "0", "operating_point": "youden"}
        told = [tags["set"]] if "set" in tags else []
        told += [f"{name} {tags[name]}" for name, value in usual.items() if tags.get(name, value) != value]
        told += [f"{name} {tags[name]}" for name in ("folds", "limit") if name in tags]
        epochs = self.runs[0].params.get("epochs_in_all")
        told += [f"epochs {epochs}"] if epochs else []
        return f"{self.plugin} ({', '.join(told)})" if told else self.plugin

    @property
    def seconds(self) -> float:
        """Mean seconds of a training."""
        return sum(run.metrics["training_seconds"] for run in self.runs) / len(self.runs)

    @property
    def opened_test(self) -> bool:
        """Whether every one of its models was scored on the test images."""
        return all(run.looks is not None for run in self.runs)

    def predictions(self, part: str) -> list[Predictions]:
        """Each seed's predictions for "validation" or "test"; Raises: UsageError where one has none."""
        found = [run.predictions(part) for run in self.runs]
        missing = [run.run_id for run, p in zip(self.runs, found, strict=True) if p is None]
        if missing:
            raise UsageError(f"run {missing[0]} of {self.plugin} holds no predictions for {part}")
        return [p for p in found if p is not None]


def of_store(store: Store) -> list[TrackedRun]:
    """The finished trainings of a store, the latest first."""
    return [_tracked(store, run) for run in store.finished({}) if run.data.tags.get("kind") in KINDS]


def chosen(runs: Sequence[TrackedRun], ids: Iterable[str]) -> list[TrackedRun]:
    """Those of the trainings that the ids name, by themselves or by their experiment; all where there is no id.

    An id may be cut to its first characters.
    Raises: UsageError for an id that no training, or more than one experiment, begins with.
    """
    wanted = {_named(beginning, runs) for beginning in ids}
    return [run for run in runs if not wanted or {run.run_id, run.parent} & wanted]


def experiments(runs: Iterable[TrackedRun]) -> list[Experiment]:
    """The trainings gathered by all that they have in common, the latest experiment first.

    Of two trainings with one seed the one that was scored on the test images counts, then the later one.
    """
    gathered: dict[Any, dict[int, TrackedRun]] = {}
    for run in sorted(runs, key=lambda run: (run.looks is not None, run.started), reverse=True):
        key = (*(run.tags.get(name, "") for name in SAME), *sorted(run.params.items()))
        gathered.setdefault(key, {}).setdefault(run.seed, run)
    found = [Experiment(tuple(seeds[seed] for seed in sorted(seeds))) for seeds in gathered.values()]
    return sorted(found, key=lambda one: max(run.started for run in one.runs), reverse=True)


def _tracked(store: Store, run: Any) -> TrackedRun:
    parent = run.data.tags.get("mlflow.parentRunId", run.info.run_id)
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="seconds")
    opened = "test_auroc" in run.data.metrics

    def file(part: str) -> Path | None:
        return None if part == "test" and not opened else store.file(run.info.run_id, f"predictions/{part}.parquet")

    return TrackedRun(
        run_id=run.info.run_id,
        parent=parent,
        started=started,
        tags=run.data.tags,
        params=run.data.params,
        metrics=run.data.metrics,
        looks=int(run.data.tags["looks"]) if opened else None,
        file=file,
    )


def _named(beginning: str, runs: Sequence[TrackedRun]) -> str:
    if len(beginning) < LEAST:
        raise UsageError(f"a run is named by at least {LEAST} characters of its id, not by '{beginning}'")
    matches = {one for run in runs for one in (run.run_id, run.parent) if one.startswith(beginning)}
    if len(matches) != 1:
        what = f"{len(matches)} runs begin" if matches else "no finished run begins"
        raise UsageError(f"{what} with '{beginning}'; `pneumobench runs` lists them")
    return matches.pop()
