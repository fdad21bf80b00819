"""Runs a study from its file to its summary; the test images stay closed throughout."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from pneumobench.data import prepare
from pneumobench.data.options import DataOptions, at_least
from pneumobench.data.prepare import Prepared
from pneumobench.errors import TrackingError, TrainingError, UsageError
from pneumobench.execution.supervisor import Supervisor
from pneumobench.execution.workers import Workers
from pneumobench.experiment.context import description_of, experiment_of, tags_of
from pneumobench.experiment.options import gathered
from pneumobench.search import plots
from pneumobench.search.endings import retry
from pneumobench.search.job import Job
from pneumobench.search.objective import reconcile
from pneumobench.search.outcome import Outcome
from pneumobench.search.plan import Plan
from pneumobench.search.snapshot import Snapshot, snapshot
from pneumobench.search.storage import Storage, address
from pneumobench.search.summary import Summary, in_common, summarise
from pneumobench.search.tasks import TrialTasks
from pneumobench.search.told import parts
from pneumobench.search.trials import IN_A_ROW, Trials
from pneumobench.tracking.importing import as_guest, import_mlflow
from pneumobench.tracking.recorder import Recorder, recording
from pneumobench.tracking.store import Store
from pneumobench.training.options import TrainOptions
from pneumobench.utils import energy
from pneumobench.utils.described import by_name
from pneumobench.utils.interrupts import outside_databases
from pneumobench.utils.jsonable import to_json
from pneumobench.utils.live import shown, snapshots
from pneumobench.utils.names import file_name
from pneumobench.utils.progress import Progress
from pneumobench.utils.provenance import redact

LOOK = 0.5  # seconds between two snapshots of the trials

Watch = Callable[[Snapshot], None]


@by_name(DataOptions, TrainOptions)
@outside_databases()
@as_guest()
@shown
def study(
    file: str = "default",
    trials: int = 50,
    data: DataOptions | str | Path | None = None,
    train: TrainOptions | None = None,
    *,
    name: str | None = None,
    plugins: Iterable[str] = (),
    knobs: Mapping[str, Any] | None = None,
    metric: str | None = None,
    keep_models: int | None = 3,
    repeats: int = 1,
    workers: Workers | int | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
    **options: Any,
) -> Outcome:
    """Search until the study `name` (by default its file's name) has `trials` finished trials, then summarise it.

    An existing study of that name is resumed. With `repeats` each trial is trained with so many seeds, and the mean
    is its value. `knobs` are fixed, as `plugin.knob`; the other options are option
    objects, or their fields as keywords (`epochs=3`); `watch` is called with snapshots of the study.
    Raises: UsageError, PluginError or DataError before the first trial; TrainingError after ten failures in a row.
    """
    data, train = gathered(data, train, options)
    at_least(("--trials", trials, 1))
    progress, store = progress or Progress(), Store(tracking_uri)
    job = Job(
        file=file,
        name=name or file,
        storage=address(storage),
        tracking_uri=store.uri,
        data=data,
        train=train,
        plugins=list(plugins),
        assigned=dict(knobs or {}),
        metric=metric,
        keep_models=keep_models,
        repeats=repeats,
    )
    plan = job.plan()
    if len(plan.metrics) > 1 and plan.study.pruner != "none":
        progress.note(f"pruning is off: there are several objectives, {', '.join(plan.metrics)}")
    engine = Workers.of(workers).engine(_logs(job.name))
    images, study_trials, job = _images_and_trials(job, plan, progress)
    import_mlflow()
    with _recording(job, plan, images, study_trials, store, progress) as run:
        study_trials.set_target(trials)
        for key, value in (("mlflow_run", run.run_id), ("job", json.dumps(job.portable()))):
            study_trials.study.set_user_attr(key, value)
        tasks = TrialTasks(study_trials)
        supervisor = Supervisor(engine, job, tasks)
        with _in_agreement(study_trials, store, run), closing(engine):
            if not study_trials.is_done():
                progress.stage("starting the workers")
                with _spending(store, run):
                    _search(supervisor, study_trials, watch or snapshots(progress, parts))
        study_trials.study.set_user_attr("exhausted", study_trials.is_exhausted())
        failed = tasks.failures()
        progress.stage("writing the summary")
        summary, folder = _sum_up(study_trials, store, run)
        if failed:
            raise TrainingError(f"study '{job.name}' stopped: {IN_A_ROW} trials failed in a row: {in_common(failed)}")
    return Outcome(summary, folder, supervisor.replaced)


@outside_databases()
@as_guest()
def work(
    name: str,
    *,
    data: str | Path | Sequence[str | Path] | None = None,
    root: str | Path | None = None,
    workers: Workers | int | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
    watch: Watch = lambda snapshot: None,
) -> Summary:
    """Join a study that another process or machine started, and train trials until it has enough.

    `data` are this machine's images, one source or several, and `root` the folder that a manifest's paths start from.
    Raises: UsageError where there is no such study, or where the images or plugins here are not the study's.
    """
    progress, store = progress or Progress(), Store(tracking_uri)
    engine = Workers.of(workers).engine(_logs(name))
    kept = Storage(storage, stale=retry)
    attributes = Trials(kept, name).study.user_attrs
    if "job" not in attributes:
        raise UsageError(f"study '{name}' is not running yet; `pneumobench study` starts it")
    job = Job.from_plain(json.loads(attributes["job"]), storage=kept.url, tracking_uri=store.uri)
    here = DataOptions(data=data, root=root)  # type: ignore[arg-type]  # it makes text of paths
    job = job.with_data(here.data, here.root)
    plan = job.plan()
    import_mlflow()
    if store.run(attributes["mlflow_run"]) is None:
        raise UsageError(
            f"study '{name}' tracks its trials in another store than {redact(store.uri)}; --tracking-uri names it"
        )
    images = job.images(progress)
    job = job.with_data(images.sources)
    study_trials = Trials(kept, name, plan)
    study_trials.check_identity(plan.identity(images))
    progress.stage("starting the workers")
    _search(Supervisor(engine, job, TrialTasks(study_trials)), study_trials, watch)
    return summarise(study_trials, store)


def _logs(name: str) -> Path:
    return Path("runs") / "studies" / file_name(name)


def _images_and_trials(job: Job, plan: Plan, progress: Progress) -> tuple[Prepared, Trials, Job]:
    """The decoded images, the study in its storage, and the job with the image folder filled in."""
    images = job.images(progress)
    study_trials = Trials.open_or_create(Storage(job.storage, stale=retry), job.name, plan, plan.identity(images))
    images = prepare.decode(images, plan.views(), progress=progress)
    return images, study_trials, job.with_data(images.sources)


@contextmanager
def _recording(
    job: Job, plan: Plan, images: Prepared, study_trials: Trials, store: Store, progress: Progress
) -> Iterator[Recorder]:
    """The study's MLflow run: a new one, or the existing one of a resumed study."""
    progress.stage("opening the tracking store")
    store.close_abandoned()
    dataset = images.dataset
    tags = {
        "kind": "study",
        "study": job.name,
        "plugin": ", ".join(plan.plugins),
        "metric": plan.metric,
        "storage": redact(job.storage),
        **tags_of(images),
    }
    before = study_trials.study.user_attrs.get("mlflow_run")
    resume = before if before and store.run(before) else None
    experiment = store.experiment(experiment_of(dataset), dataset.fingerprint, description_of(dataset))
    with recording(store, experiment, f"study {job.name}", tags, resume=resume) as run:
        yield run


@contextmanager
def _in_agreement(trials: Trials, store: Store, run: Recorder) -> Iterator[None]:
    """End the trials of dead processes before the block, and let MLflow agree with Optuna before and after it."""
    trials.end_dead()
    reconcile(store, run.run_id, trials)
    try:
        yield
    finally:
        reconcile(store, run.run_id, trials)


@contextmanager
def _spending(store: Store, run: Recorder) -> Iterator[None]:
    """Add the seconds of the block, and this machine's watt-hours where they can be read, to the study's metrics."""
    began = time.monotonic()
    with energy.measuring() as meter:
        try:
            yield
        finally:
            spent = {"seconds_searching": time.monotonic() - began, **meter.metrics()}
            with suppress(TrackingError), store.reporting_errors():  # what ended the block is the error to report
                before = store.client.get_run(run.run_id).data.metrics  # of earlier sessions of a resumed study
                run.metrics({name: before.get(name, 0.0) + value for name, value in spent.items()})


def _search(supervisor: Supervisor, trials: Trials, watch: Watch) -> None:
    began, done = time.monotonic(), len(trials.all(TrialState.COMPLETE, TrialState.PRUNED))
    with supervisor.running_workers():
        while not supervisor.is_over:
            watch(snapshot(trials, done, time.monotonic() - began))
            time.sleep(LOOK)
    watch(snapshot(trials, done, time.monotonic() - began))


def _sum_up(trials: Trials, store: Store, run: Recorder) -> tuple[Summary, Path]:
    """The summary, written to a folder beside the storage and to the study's MLflow run."""
    summary = summarise(trials, store)
    folder = trials.storage.folder / "studies" / file_name(trials.name) / "summary"
    plots.save_all(folder, trials, summary)
    (folder / "summary.json").write_text(json.dumps(to_json(summary), indent=2, default=str))
    run.artifacts(folder)
    run.metrics({f"trials_{state}": count for state, count in summary.states.items()})
    if summary.best:
        run.metrics({f"best_{summary.metric}": summary.best[0].value})
    return summary, folder
