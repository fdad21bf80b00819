"""A study from its file to its summary: the test images stay closed throughout."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from pneumobench.data import prepare
from pneumobench.data.split import check
from pneumobench.errors import TrainingError, UsageError
from pneumobench.experiment.context import description_of, experiment_of
from pneumobench.experiment.run import check_numbers
from pneumobench.search import plots
from pneumobench.search.engine import Engine, Local
from pneumobench.search.job import Job
from pneumobench.search.objective import reconcile
from pneumobench.search.snapshot import Snapshot, snapshot
from pneumobench.search.storage import Storage, address
from pneumobench.search.summary import Summary, in_common, summarise
from pneumobench.search.supervisor import Crew
from pneumobench.search.trials import IN_A_ROW, Trials, retry
from pneumobench.tracking.importing import import_mlflow
from pneumobench.tracking.recorder import recording
from pneumobench.tracking.store import Store
from pneumobench.training import precision as precisions
from pneumobench.utils.progress import Progress
from pneumobench.utils.provenance import redact

LOOK = 0.5  # seconds between two looks at how the trials stand


@dataclass(frozen=True)
class Outcome:
    """A study's summary, the folder with its plots, and how many workers were renewed as they grew."""

    summary: Summary
    folder: Path
    renewed: int


def study(
    file: str = "default",
    *,
    trials: int = 50,
    name: str | None = None,
    plugins: Iterable[str] = (),
    knobs: Mapping[str, Any] | None = None,
    metric: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    data: str | Path | None = None,
    split: str = "patient",
    split_seed: int = 0,
    limit: int | None = None,
    skip_unreadable: bool = False,
    workers: int | None = None,
    engine: str = "local",
    cluster: str | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    keep_models: int | None = 3,
    progress: Progress | None = None,
    watch: Callable[[Snapshot], None] = lambda snapshot: None,
) -> Outcome:
    """Search until the study `name` (by default its file's name) holds `trials` finished trials, then sum it up.

    A study of that name is gone on with. `knobs` are fixed, as `plugin.knob`; `watch` hears how it stands.
    Raises: UsageError, PluginError or DataError before the first trial; TrainingError after ten failures in a row.
    """
    progress = progress or Progress()
    _check(trials, workers, keep_models, split, precision, seed, split_seed, limit)
    store = Store(tracking_uri)
    job = Job(
        file=file,
        name=name or file,
        storage=address(storage),
        tracking_uri=store.uri,
        data=None if data is None else str(data),
        split=split,
        split_seed=split_seed,
        limit=limit,
        skip_unreadable=skip_unreadable,
        plugins=list(plugins),
        assigned=dict(knobs or {}),
        metric=metric,
        epochs=epochs,
        seed=seed,
        precision=precision,
        keep_models=keep_models,
    )
    plan = job.plan()
    place = _engine(engine, cluster, workers, Path("runs") / "studies" / job.name)

    images = job.images(progress)
    job = job.at(str(images.dataset.root))
    bound = plan.bound(images)
    kept = Storage(job.storage, stale=retry)
    held = Trials.opened(kept, job.name, plan, bound)
    images = prepare.decode(images, plan.views(), folds=None, skip_unreadable=skip_unreadable, progress=progress)

    progress.stage("opening the tracking store")
    import_mlflow()
    store.close_abandoned()
    dataset = images.dataset
    tags = {
        "kind": "study",
        "study": job.name,
        "plugin": ", ".join(plan.plugins),
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "split": split,
        "split_seed": split_seed,
        "split_digest": images.development.digest,
        "metric": plan.metric,
        "storage": redact(job.storage),
        **({"limit": limit} if limit else {}),
    }
    before = held.study.user_attrs.get("mlflow_run")
    resume = before if before and store.run(before) else None
    place_of_runs = store.experiment(experiment_of(dataset), dataset.fingerprint, description_of(dataset))
    with recording(store, place_of_runs, f"study {job.name}", tags, resume=resume) as run:
        held.aim(trials)
        for key, value in (("mlflow_run", run.run_id), ("job", json.dumps(job.kept()))):
            held.study.set_user_attr(key, value)
        held.end_dead()
        reconcile(store, run.run_id, held)
        crew = Crew(place, job, held)
        try:
            if not held.is_done():
                progress.stage("starting the workers")
                _search(crew, held, watch)
        finally:
            place.close()
            reconcile(store, run.run_id, held)
        held.study.set_user_attr("exhausted", held.is_exhausted())
        failed = crew.failures()
        progress.stage("summing up")
        summary, folder = _sum_up(held, store)
        run.artifacts(folder)
        run.metrics({f"trials_{state}": count for state, count in summary.states.items()})
        if summary.best:
            run.metrics({f"best_{plan.metric}": summary.best[0].value})
        if failed:
            raise TrainingError(f"study '{job.name}' stopped: {IN_A_ROW} trials failed in a row: {in_common(failed)}")
    return Outcome(summary, folder, crew.renewed)


def work(
    name: str,
    *,
    storage: str | None = None,
    tracking_uri: str | None = None,
    data: str | Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    watch: Callable[[Snapshot], None] = lambda snapshot: None,
) -> Summary:
    """Join a study that another process or machine began, and work until it holds what it is to hold.

    Raises: UsageError where there is no such study, or where the images or plugins here are not the study's.
    """
    progress = progress or Progress()
    _check(1, workers, None, "patient", "auto", 0, 0, None)
    store = Store(tracking_uri)
    kept = Storage(storage, stale=retry)
    attributes = Trials(kept, name).study.user_attrs
    if "job" not in attributes:
        raise UsageError(f"study '{name}' is not under way yet; `pneumobench study` begins it")
    here = {"storage": kept.url, "tracking_uri": store.uri, "data": None if data is None else str(data)}
    job = Job.joined(json.loads(attributes["job"]), **here)
    plan = job.plan()
    import_mlflow()
    if store.run(attributes["mlflow_run"]) is None:
        raise UsageError(
            f"study '{name}' tracks its trials in another store than {redact(store.uri)}; --tracking-uri names it"
        )
    images = job.images(progress)
    job = job.at(str(images.dataset.root))
    held = Trials(kept, name, plan)
    held.check(plan.bound(images))
    progress.stage("starting the workers")
    _search(Crew(_engine("local", None, workers, Path("runs") / "studies" / name), job, held), held, watch)
    return summarise(held, store)


def _search(crew: Crew, trials: Trials, watch: Callable[[Snapshot], None]) -> None:
    began, done = time.monotonic(), len(trials.all(TrialState.COMPLETE, TrialState.PRUNED))
    with crew.at_work():
        while not crew.is_over:
            watch(snapshot(trials, done, time.monotonic() - began))
            time.sleep(LOOK)
    watch(snapshot(trials, done, time.monotonic() - began))


def _sum_up(trials: Trials, store: Store) -> tuple[Summary, Path]:
    summary = summarise(trials, store)
    folder = trials.storage.folder / "studies" / trials.name / "summary"
    plots.save_all(folder, trials, summary)
    (folder / "summary.json").write_text(json.dumps(summary.as_dict(), indent=2, default=str))
    return summary, folder


def _engine(kind: str, cluster: str | None, workers: int | None, logs: Path) -> Engine:
    if kind == "local":
        if cluster:
            raise UsageError("--address is for --engine ray")
        return Local.of(workers, logs)
    if kind == "ray":
        from pneumobench.search.ray_engine import Ray

        return Ray.of(workers, cluster)
    raise UsageError(f"--engine is local or ray, not '{kind}'")


def _check(
    trials: int,
    workers: int | None,
    keep_models: int | None,
    split: str,
    precision: str,
    seed: int,
    split_seed: int,
    limit: int | None,
) -> None:
    """Raises: UsageError for a number or a word that no study can have."""
    check(split)
    precisions.check(precision)
    check_numbers(1, seed, split_seed, limit)
    for option, value, least in (("--trials", trials, 1), ("--workers", workers, 1), ("--keep-models", keep_models, 0)):
        if value is not None and value < least:
            raise UsageError(f"{option} is at least {least}, not {value}")
