"""Train a tracked run again: the same images, division, knobs, seeds, budget, precision and source of the plugin."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pneumobench.authoring import registry
from pneumobench.authoring.digest import digest
from pneumobench.authoring.replaced import in_place_of
from pneumobench.data import prepare
from pneumobench.data.options import DataOptions
from pneumobench.errors import DataError, PluginError, PneumobenchError, TrackingError, UsageError
from pneumobench.experiment.logged import ENVIRONMENT, SETTINGS, SOURCES
from pneumobench.experiment.repeated import Repeated, compared
from pneumobench.experiment.run import run
from pneumobench.tracking.recorder import Recorder
from pneumobench.tracking.runs import chosen, of_store
from pneumobench.tracking.store import Store
from pneumobench.tracking.tracked_run import TrackedRun
from pneumobench.training.keras_settings import BACKENDS
from pneumobench.training.options import Precision, TrainOptions
from pneumobench.utils import provenance
from pneumobench.utils.progress import Progress

SHOWN = 8  # packages that are listed before the others are counted
RESTORABLE = "pneumobench_folder_plugins", "pneumobench.plugins"


@dataclass(frozen=True)
class Settings:
    """What a run was started with."""

    plugin: str
    knobs: Mapping[str, Any]
    data: DataOptions
    train: TrainOptions

    @property
    def trainings(self) -> set[tuple[int, int]]:
        """Seed and split seed of each training that it was started with."""
        return {(seed, split_seed) for seed in self.train.numbers for split_seed in self.data.divisions}


def rerun(
    run_id: str,
    *,
    data: str | Path | tuple[str, ...] | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
) -> Repeated:
    """Train a run, or all seeds of an experiment, once more, and put both side by side.

    `data` says where the images are now. What differs from the run before (versions, machine, commit) is said first.
    Raises: UsageError for a run that cannot be trained again; DataError for other images; PluginError where the
    plugin's source of that time cannot be had.
    """
    store, progress = Store(tracking_uri), progress or Progress()
    before = chosen(of_store(store) if store.exists else [], [run_id])
    tracked_as = next((one.run_id for one in before if one.run_id.startswith(run_id)), before[0].parent)
    tags = before[0].tags
    settings = _settings(store, tracked_as, before)
    before = [one for one in before if one.training in settings.trainings]  # others were added to the run later
    options = replace(settings.data, data=data) if data is not None else settings.data  # type: ignore[arg-type]
    with _backend(tags), _source(store, tracked_as, tags) as source:
        images = prepare.load(options, progress)
        if images.dataset.fingerprint != tags["fingerprint"]:
            raise DataError(
                f"run {tracked_as[:8]} was trained on images of fingerprint {tags['fingerprint'][:8]}, these have "
                f"{images.dataset.fingerprint[:8]} ({', '.join(images.sources)}); --data names others"
            )
        differences = [*source, *_differences(store, tracked_as, tags)]
        for line in differences or ["versions, machine and commit are those of the run before"]:
            progress.note(line)
        train = settings.train
        if tags.get("precision") in get_args(Precision):  # what "auto" was; an estimator has none of ours
            train = replace(train, precision=tags["precision"])
        is_tested = all(one.looks is not None for one in before)
        again = run(
            settings.plugin,
            settings.knobs,
            options,
            train,
            test=is_tested,
            again=True,
            tracking_uri=store.uri,
            progress=progress,
        )
    Recorder(store, again.run_id).tags({"rerun_of": tracked_as})
    every = of_store(store)
    now = chosen(every, [again.run_id])
    if [one.tags["split_digest"] for one in now] != [one.tags["split_digest"] for one in _in_order(before)]:
        differences.append("the images are divided otherwise than before: the figures cannot be compared")
    olds = [one for one in every if one.run_id not in {run.run_id for run in now}]
    return compared(_in_order(before), _in_order(now), olds, differences)


def _in_order(runs: Sequence[TrackedRun]) -> list[TrackedRun]:
    return sorted(runs, key=lambda one: one.training)


def _settings(store: Store, run_id: str, runs: Sequence[TrackedRun]) -> Settings:
    """What the run was started with. Raises: UsageError for one that was imported, or does not say it."""
    if "imported" in runs[0].tags:
        raise UsageError(f"run {run_id[:8]} was imported: its training was elsewhere")
    try:
        plain = json.loads(store.file(run_id, f"settings/{SETTINGS}").read_text())
    except (TrackingError, OSError):
        raise UsageError(
            f"run {run_id[:8]} does not say all that it was started with: an earlier version tracked it as "
            f"`{runs[0].tags.get('command', '')}`"
        ) from None
    data, train = DataOptions(**plain["data"]), TrainOptions(**plain["train"])
    return Settings(plain["plugin"], plain["knobs"], data, train)


@contextmanager
def _backend(tags: Mapping[str, str]) -> Iterator[None]:
    """Keras on the run's backend. Raises: UsageError where another one is imported already."""
    wanted, before = tags["backend"], os.environ.get("KERAS_BACKEND")
    if wanted not in BACKENDS:
        yield
        return
    if "keras" in sys.modules and (found := sys.modules["keras"].backend.backend()) != wanted:
        raise UsageError(f"the run was trained on {wanted}, and Keras is imported on {found}; begin a new process")
    os.environ["KERAS_BACKEND"] = wanted
    try:
        yield
    finally:
        os.environ.pop("KERAS_BACKEND")
        if before is not None:
            os.environ["KERAS_BACKEND"] = before


@contextmanager
def _source(store: Store, run_id: str, tags: Mapping[str, str]) -> Iterator[list[str]]:
    """The plugin as it was: as it is now, or from the run's files, which is said. Raises: PluginError."""
    name, wanted = tags["plugin"], tags["plugin_digest"]
    if _digest(name) == wanted:
        yield []
        return
    try:
        files = {
            module: store.file(run_id, f"plugin/{file}")
            for module, file in json.loads(store.file(run_id, f"plugin/{SOURCES}").read_text()).items()
        }
    except (TrackingError, OSError):
        raise PluginError(f"plugin '{name}' has changed since run {run_id[:8]}, which has no source of it") from None
    if others := [module for module in files if module.rpartition(".")[0] not in RESTORABLE]:
        raise PluginError(
            f"plugin '{name}' has changed since run {run_id[:8]}, and {others[0]} belongs to an installed package; "
            f"install the version of that time ({tags['versions']})"
        )
    with in_place_of(files):
        if _digest(name) != wanted:
            raise PluginError(
                f"the source that run {run_id[:8]} holds of plugin '{name}' is not what it was trained with"
            )
        yield [f"plugin '{name}' has changed since: its source is that of the run"]


def _digest(name: str) -> str | None:
    try:
        return digest(registry.find(name), registry.load(name))
    except (PneumobenchError, OSError, SyntaxError):  # removed, or broken since
        return None


def _differences(store: Store, run_id: str, tags: Mapping[str, str]) -> list[str]:
    """What differs in commit, machine and versions, in lines."""
    now = provenance.environment()
    try:
        before = json.loads(store.file(run_id, f"settings/{ENVIRONMENT}").read_text())
    except (TrackingError, OSError):
        return ["the run did not log its environment"]
    lines = []
    if tags["git_commit"] != provenance.commit():
        lines.append(f"commit: {tags['git_commit'][:8]} before, {provenance.commit()[:8]} now")
    for name in ("python", "platform", "processor", "cores"):
        if before[name] != now[name]:
            lines.append(f"{name}: {before[name]} before, {now[name]} now")
    old, new = before["packages"], now["packages"]
    changed = sorted(name for name in old | new if old.get(name) != new.get(name))
    shown = [f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}" for name in changed[:SHOWN]]
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        lines.append(f"packages, before -> now: {', '.join(shown)}{more}")
    return lines
