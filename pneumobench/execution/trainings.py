"""The trainings of a call, spread over workers: the machinery that a study uses, for plugins, seeds and divisions."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pneumobench.data.options import DataOptions
from pneumobench.errors import PneumobenchError, TrainingError
from pneumobench.execution.handles import WorkerDied
from pneumobench.execution.supervisor import Supervisor
from pneumobench.execution.workers import Workers
from pneumobench.experiment.context import Training
from pneumobench.experiment.run import Trainer, Unit, in_turn
from pneumobench.experiment.under_way import UnderWay
from pneumobench.utils.progress import Epoch

ATTEMPTS = 3  # of a training whose worker died
LOOK = 0.2  # seconds between two looks at whether the workers are finished
LOGS = Path("runs") / "workers"


@dataclass(frozen=True)
class TrainingsJob:
    """The experiments of a call as plain values, each with its plugin, knobs and training options."""

    experiments: tuple[dict[str, Any], ...]
    data: DataOptions
    tracking_uri: str

    @property
    def opens(self) -> str:
        """The function that makes a worker of it."""
        return "pneumobench.execution.training_worker:opened"

    def plain(self) -> dict[str, Any]:
        """Its values."""
        return asdict(self)

    @classmethod
    def of(cls, experiments: Sequence[UnderWay]) -> TrainingsJob:
        """The job of these experiments, which are on the same images in the same store."""
        images, store = experiments[0].context.images, experiments[0].session.store
        return cls(tuple(map(_plain, experiments)), replace(images.options, data=images.sources), store.uri)


def trainer(workers: Workers | int | None) -> Trainer:
    """What trains with so many workers: in this process where one of this machine is enough.

    Raises: UsageError for more workers than there are GPUs, or without the cluster.
    """
    chosen = Workers.of(workers)
    if chosen.engine_name == "local" and chosen.engine(LOGS).workers == 1:
        return in_turn
    return lambda units: _spread(units, chosen) if units else None


def _spread(units: Sequence[Unit], workers: Workers) -> None:
    """Train on several workers; what fails is told to its experiment."""
    engine = workers.engine(LOGS)
    experiments = list(dict.fromkeys(one for one, _ in units))
    # workers on other machines do not see the models of folds that are kept here
    tasks = _Tasks(units, experiments, by_fold=workers.engine_name == "local")
    progress = experiments[0].session.progress
    progress.stage(f"training on {engine.workers} workers")
    supervisor = Supervisor(engine, TrainingsJob.of(experiments), tasks)
    with closing(engine), supervisor.running_workers():
        while not supervisor.is_over:
            progress.advance(tasks.finished, len(tasks))
            time.sleep(LOOK)


@dataclass(frozen=True, eq=False)
class _Task:
    """A whole training, or one fold of it; `first` are the folds that a whole training waits for."""

    one: UnderWay
    training: Training
    fold: int | None = None
    first: tuple[_Task, ...] = ()

    @property
    def name(self) -> str:
        return self.one.title(self.training) + (f", fold {self.fold}" if self.fold else "")


class _Tasks:
    """The trainings that are missing, each of which is given to a worker until it is done or has failed."""

    def __init__(self, units: Sequence[Unit], experiments: Sequence[UnderWay], *, by_fold: bool):
        self._experiments = experiments
        self._tasks: list[_Task] = []
        for one, training in units:
            count = len(one.context.images.folds) if by_fold else 0
            folds = tuple(_Task(one, training, fold) for fold in range(1, count + 1))
            self._tasks += [*folds, _Task(one, training, first=folds)]
        self._waiting = list(range(len(self._tasks)))
        self._over: set[_Task] = set()  # done, or failed
        self._attempts = dict.fromkeys(self._waiting, 0)
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def finished(self) -> int:
        """How many are over."""
        return len(self._over)

    @property
    def is_over(self) -> bool:
        return self.finished == len(self)

    @property
    def is_idle_for_good(self) -> bool:
        return self.is_over

    def take(self) -> dict[str, Any] | None:
        with self._lock:
            number = next((n for n in self._waiting if self._over.issuperset(self._tasks[n].first)), None)
            if number is None:
                return None
            self._waiting.remove(number)
            task = self._tasks[number]
            task.one.session.progress.fact(f"{task.name}: training")
            begun = task.one.begin(task.training)
            place = asdict(begun) | {"is_resumed": begun.is_resumed or self._attempts[number] > 0}
        own = {"task": number, "experiment": self._experiments.index(task.one), "fold": task.fold}
        return {**own, "training": list(task.training), **place}

    def tell(self, request: Any, told: Mapping[str, Any]) -> None:
        task, epoch = self._tasks[request["task"]], Epoch(**told)
        task.one.record.remember(task.training, epoch, task.fold)
        task.one.session.progress.epoch_of(task.name, epoch)

    def done(self, request: Any, report: Mapping[str, Any]) -> None:
        task = self._tasks[request["task"]]
        with self._lock:
            if "error" in report:
                self._fail(task, _error(report))
                return
            if task.fold is None:
                task.one.add(task.training, report["run_id"])
            task.one.session.progress.fact(f"{task.name}: trained in {report['seconds']:.0f} s")
            self._over.add(task)

    def lost(self, request: Any, death: WorkerDied) -> None:
        if request is None:
            return
        number = request["task"]
        task = self._tasks[number]
        with self._lock:
            task.one.session.store.close_abandoned()
            self._attempts[number] += 1
            if self._attempts[number] == ATTEMPTS:
                self._fail(task, TrainingError(f"{death}, {ATTEMPTS} times"))
                return
            task.one.session.progress.note(f"{task.name}: {death}; it is resumed")
            self._waiting.insert(0, number)

    def stopped(self, processes: Sequence[Mapping[str, str]], *, finished: bool) -> None:
        self._experiments[0].session.store.close_abandoned()

    def _fail(self, task: _Task, error: Exception) -> None:
        """A training failed, and with a fold the whole of it."""
        task.one.fail(task.training, error)
        for number, other in enumerate(self._tasks):
            if other is task or (other.one is task.one and other.training == task.training and number in self._waiting):
                self._over.add(other)
        self._waiting = [number for number in self._waiting if self._tasks[number] not in self._over]


def _plain(one: UnderWay) -> dict[str, Any]:
    context = one.context
    return {
        "plugin": context.name,
        "study": context.study,
        "knobs": dict(context.knobs),
        "train": asdict(context.train),
    }


def _error(report: Mapping[str, Any]) -> PneumobenchError:
    error = PneumobenchError(report["error"])
    error.exit_code = report["exit_code"]
    return error
