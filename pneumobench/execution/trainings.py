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
    experiments = list({id(one): one for one, _ in units}.values())
    tasks = _Units(units, experiments)
    progress = experiments[0].session.progress
    progress.stage(f"training on {engine.workers} workers")
    supervisor = Supervisor(engine, TrainingsJob.of(experiments), tasks)
    with closing(engine), supervisor.running_workers():
        while not supervisor.is_over:
            progress.advance(tasks.finished, len(units))
            time.sleep(LOOK)


class _Units:
    """The trainings that are missing, each of which is given to a worker until it is done or has failed."""

    def __init__(self, units: Sequence[Unit], experiments: Sequence[UnderWay]):
        self._experiments, self._waiting = experiments, list(units)
        self._attempts = dict.fromkeys(range(len(units)), 0)
        self._number = {(id(one), training): number for number, (one, training) in enumerate(units)}
        self._lock = threading.RLock()
        self._units = units
        self.finished = 0

    @property
    def is_over(self) -> bool:
        return self.finished == len(self._units)

    @property
    def is_idle_for_good(self) -> bool:
        return self.is_over

    def take(self) -> dict[str, Any] | None:
        with self._lock:
            if not self._waiting:
                return None
            one, training = self._waiting.pop(0)
            one.session.progress.fact(f"{one.title(training)}: training")
            begun = one.begin(training)
            is_again = self._attempts[self._number[id(one), training]] > 0
        place = asdict(begun) | {"is_resumed": begun.is_resumed or is_again}
        return {"experiment": self._experiments.index(one), "training": list(training), **place}

    def tell(self, request: Any, told: Mapping[str, Any]) -> None:
        one, training = self._unit(request)
        epoch = Epoch(**told)
        one.record.remember(training, epoch)
        one.session.progress.epoch_of(one.title(training), epoch)

    def done(self, request: Any, report: Mapping[str, Any]) -> None:
        one, training = self._unit(request)
        with self._lock:
            if "error" in report:
                one.fail(training, _error(report))
            else:
                one.add(training, report["run_id"])
                one.session.progress.fact(f"{one.title(training)}: trained in {report['seconds']:.0f} s")
            self.finished += 1

    def lost(self, request: Any, death: WorkerDied) -> None:
        if request is None:
            return
        one, training = self._unit(request)
        with self._lock:
            one.session.store.close_abandoned()
            number = self._number[id(one), training]
            self._attempts[number] += 1
            if self._attempts[number] < ATTEMPTS:
                one.session.progress.note(f"{one.title(training)}: {death}; it is resumed")
                self._waiting.insert(0, (one, training))
            else:
                one.fail(training, TrainingError(f"{death}, {ATTEMPTS} times"))
                self.finished += 1

    def stopped(self, processes: Sequence[Mapping[str, str]], *, finished: bool) -> None:
        self._experiments[0].session.store.close_abandoned()

    def _unit(self, request: Any) -> Unit:
        one = self._experiments[request["experiment"]]
        training = next(t for t in one.planned.trainings if list(t) == request["training"])
        return one, training


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
