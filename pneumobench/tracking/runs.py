"""Finished trainings, read from a store or an exported folder, and grouped into experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pneumobench.errors import TrackingError, UsageError, one_line
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking.store import Store
from pneumobench.tracking.tracked_run import ELSEWHERE, TrackedRun

KINDS = ("run", "seed", "folds")  # kinds of runs that hold exactly one model
SETTINGS = (
    *("plugin", "plugin_digest", "fingerprint", "split", "operating_point", "folds", "limit", "files"),
    *("precision", "backend", "permuted", "calibrate"),
)
_Group = dict[tuple[int, int], "TrackedRun"]  # trainings by seed and split seed
SHORTEST_ID = 6  # characters of a shortened run id


@dataclass(frozen=True, eq=False)
class Experiment:
    """Trainings that differ only in seed and split seed, ordered by them.

    `variant` is the commit of trainings that repeat those of another experiment with other versions or code.
    """

    runs: tuple[TrackedRun, ...]
    variant: str = ""

    @property
    def plugin(self) -> str:
        """The plugin's name."""
        return self.runs[0].plugin

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the first seed; those that define the experiment are the same for all seeds."""
        return self.runs[0].tags

    @property
    def name(self) -> str:
        """The plugin, and in brackets the settings that differ from the defaults: knobs, split, folds, epochs, …"""
        tags, usual = self.tags, {"split": "patient", "operating_point": "youden", "precision": "float32"}
        differing = ["imported"] if self.is_imported else []
        differing += [tags["set"]] if "set" in tags else []
        different = {
            name: tags[name] for name, value in usual.items() if tags.get(name, value) not in (value, ELSEWHERE)
        }
        differing += [f"{name} {value}" for name, value in different.items()]
        splits = sorted({run.split_seed for run in self.runs})
        differing += [f"split_seed {', '.join(map(str, splits))}"] if splits != [0] else []
        differing += ["backend jax"] if tags.get("backend") == "jax" else []
        differing += [f"{name} {tags[name]}" for name in ("folds", "limit") if name in tags]
        epochs = self.runs[0].params.get("epochs_in_all")
        differing += [f"epochs {epochs}"] if epochs else []
        differing += [f"calibrated by {tags['calibrate']}"] if "calibrate" in tags else []
        differing += ["permuted labels"] if "permuted" in tags else []
        differing += [self.variant] if self.variant else []
        return f"{self.plugin} ({', '.join(differing)})" if differing else self.plugin

    @property
    def is_imported(self) -> bool:
        """Whether it is predictions that were made elsewhere."""
        return "imported" in self.tags

    @property
    def is_divided_elsewhere(self) -> bool:
        """Whether it is not known how its development images were divided."""
        return self.tags["split"] == ELSEWHERE

    @property
    def has_validation(self) -> bool:
        """Whether all of its models have predictions on validation images."""
        return all(run.file("validation") is not None for run in self.runs)

    @property
    def seconds(self) -> float:
        """Mean seconds of a training; nan where an imported model's are not known."""
        return sum(run.metrics.get("training_seconds", float("nan")) for run in self.runs) / len(self.runs)

    @property
    def opened_test(self) -> bool:
        """Whether all of its models were scored on the test images."""
        return all(run.looks is not None for run in self.runs)

    @property
    def after_look(self) -> list[TrackedRun]:
        """The trainings that began after another one of the experiment had been scored on the test images.

        A result that is pooled over trainings whose number was chosen by looking is more often called different than
        its level says. Those that were added to others are marked by their tag.
        """
        first = min((run for run in self.runs if run.looks is not None), key=lambda run: run.started, default=None)
        if first is None:
            return []
        opened = datetime.fromisoformat(first.started) + timedelta(seconds=first.metrics.get("training_seconds", 0))

        def is_later(run: TrackedRun) -> bool:
            return run.parent != first.parent and datetime.fromisoformat(run.started) > opened

        return [run for run in self.runs if "added_after" in run.tags or is_later(run)]

    def predictions(self, part: str) -> list[Predictions]:
        """Each seed's predictions for "validation" or "test". Raises: UsageError where one is missing."""
        predicted = [run.predictions(part) for run in self.runs]
        missing = [run.run_id for run, p in zip(self.runs, predicted, strict=True) if p is None]
        if missing:
            raise UsageError(f"run {missing[0]} of {self.plugin} has no predictions for {part}")
        return [p for p in predicted if p is not None]


def of_store(store: Store) -> list[TrackedRun]:
    """The finished trainings of a store, the latest first."""
    return [tracked(store, run) for run in store.finished({}) if run.data.tags.get("kind") in KINDS]


def chosen(runs: Sequence[TrackedRun], ids: Iterable[str]) -> list[TrackedRun]:
    """The trainings with these run ids, or of experiments with these ids; all trainings where no id is given.

    An id may be shortened to its first characters.
    Raises: UsageError for an id that matches no training or more than one experiment.
    """
    wanted = {_named(beginning, runs) for beginning in ids}
    return [run for run in runs if not wanted or {run.run_id, run.parent} & wanted]


def with_files(runs: Iterable[TrackedRun]) -> tuple[list[TrackedRun], list[str]]:
    """The trainings whose predictions can be read, and a line for each of the others, which then hide none."""
    kept, lost = [], []
    for run in runs:
        try:
            for part in ("validation", "test"):
                run.predictions(part)
        except (TrackingError, OSError) as error:
            lost.append(f"run {run.run_id[:8]} ({run.plugin}, seed {run.seed}) is left out: {one_line(error)}")
        else:
            kept.append(run)
    return kept, lost


def experiments(runs: Iterable[TrackedRun]) -> list[Experiment]:
    """The trainings grouped by equal settings, the latest experiment first.

    Trainings that differ in seed or split seed are one experiment; those that were not scored on the test images are
    one apart, and do not count where the same training was scored. Of two with the same seeds, versions and commit the
    later one is used; with other versions or another commit they are two experiments, the later one of which carries
    its commit in its name.
    """
    scored: dict[Any, list[_Group]] = {}
    unscored: dict[Any, list[_Group]] = {}
    for run in sorted(runs, key=lambda run: (run.looks is None, run.started)):
        key = (*(run.tags.get(name, "") for name in SETTINGS), *sorted(run.params.items()))
        if run.looks is not None:
            _place(run, scored.setdefault(key, [{}]))
        elif not any(_is_same_training(run, group) for group in scored.get(key, ())):
            _place(run, unscored.setdefault(key, [{}]))
    grouped = [
        Experiment(
            tuple(group[training] for training in sorted(group)),
            f"commit {next(iter(group.values())).tags.get('git_commit', '')[:7]}" if number else "",
        )
        for groups in (*scored.values(), *unscored.values())
        for number, group in enumerate(groups)
    ]
    return sorted(grouped, key=lambda experiment: max(run.started for run in experiment.runs), reverse=True)


def _place(run: TrackedRun, groups: list[_Group]) -> None:
    """Put a training where its seeds are free, or taken by the same thing trained before."""
    for group in groups:
        divisions = {other.split_seed: other.tags["split_digest"] for other in group.values()}
        is_same_split = divisions.get(run.split_seed, run.tags["split_digest"]) == run.tags["split_digest"]
        if is_same_split and group.get(run.training, run).provenance == run.provenance:
            group[run.training] = run
            return
    groups.append({run.training: run})


def _is_same_training(run: TrackedRun, group: _Group) -> bool:
    return run.training in group and group[run.training].tags["split_digest"] == run.tags["split_digest"]


def tracked(store: Store, run: Any) -> TrackedRun:
    """A run of MLflow as a training."""
    parent = run.data.tags.get("mlflow.parentRunId", run.info.run_id)
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="seconds")
    opened = "test_auroc" in run.data.metrics

    def file(part: str) -> Path | None:
        is_missing = part == "validation" and "imported" in run.data.tags and "validation_auroc" not in run.data.metrics
        if is_missing or (part == "test" and not opened):
            return None
        return store.file(run.info.run_id, f"predictions/{part}.parquet")

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
    if len(beginning) < SHORTEST_ID:
        raise UsageError(f"a shortened run id has at least {SHORTEST_ID} characters, not '{beginning}'")
    matches = {run_id for run in runs for run_id in (run.run_id, run.parent) if run_id.startswith(beginning)}
    if len(matches) != 1:
        what = f"{len(matches)} runs begin" if matches else "no finished run begins"
        raise UsageError(f"{what} with '{beginning}'; `pneumobench runs` lists them")
    return matches.pop()
