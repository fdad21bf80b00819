"""A worker: loads Keras and the images once, then trains one trial after the other; `main` runs it as a process."""

from __future__ import annotations

import gc
import json
import os
import signal
from dataclasses import dataclass, replace
from typing import Any, TextIO

import psutil

from pneumobench.authoring.knobs import resolve
from pneumobench.data import prepare
from pneumobench.errors import PneumobenchError, one_line
from pneumobench.search.endings import retry
from pneumobench.search.job import Job
from pneumobench.search.objective import Objective
from pneumobench.search.storage import Storage
from pneumobench.search.trials import Trials
from pneumobench.tracking.importing import import_mlflow
from pneumobench.tracking.store import Store
from pneumobench.training import backend, loadable, trainer
from pneumobench.training.corruption import Corrupted
from pneumobench.utils import provenance
from pneumobench.utils.interrupts import outside_databases
from pneumobench.utils.progress import Progress

REQUEST = "trial"  # the only request that a worker process takes


@dataclass(frozen=True)
class TrialReport:
    """The outcome of one trial: `state` as in MLflow's tag, with the error after "fail: "; memory in bytes."""

    number: int
    state: str
    memory: int


class Worker:
    """Trains trials of one study. Raises: what opening the study, its images or its store raises."""

    def __init__(self, job: Job):
        self._frozen = False
        self._plan = job.plan()
        self._trials = Trials(Storage(job.storage, stale=retry), job.name, self._plan)
        images = job.images(Progress())
        self._trials.check_identity(self._plan.identity(images))
        images = prepare.decode(images, self._plan.views(), progress=Progress())
        if "val_auroc_corrupted" in self._plan.metrics:
            corrupted = Corrupted(images.development.validation, job.train.seed)
            images = replace(images, development=replace(images.development, corrupted=corrupted))
        for name, (_, plugin) in self._plan.plugins.items():
            trainer.start(plugin, resolve(plugin, self._plan.fixed[name]))
        import_mlflow()
        store, parent = Store(job.tracking_uri), self._trials.study.user_attrs["mlflow_run"]
        self._objective = Objective(
            plan=self._plan,
            trials=self._trials,
            images=images,
            store=store,
            parent=parent,
            experiment=store.client.get_run(parent).info.experiment_id,
            keep_models=job.keep_models,
        )

    def check(self) -> None:
        """Build every plugin's components once. Raises: what building them raises, such as WeightsError."""
        for name, (entry, plugin) in self._plan.plugins.items():
            knobs = resolve(plugin, self._plan.fixed[name])
            trainer.build(plugin, knobs, self._plan.epochs_of(name), name)
            if trainer.needs_keras(plugin, knobs):
                loadable.check(plugin, knobs, name, entry.module)
        backend.forget()

    def trial(self) -> TrialReport | None:
        """Claim and train one trial; None where there is no trial to claim now."""
        try:
            claim = self._trials.claim()
        except PneumobenchError as error:  # a space that returns unknown knobs
            return TrialReport(-1, f"fail: {one_line(error)}", memory())
        if claim is None:
            return None
        state = self._objective(claim)
        backend.forget()
        if not self._frozen:  # what the first trial imported stays, so later collections can skip it
            gc.freeze()
            self._frozen = True
        return TrialReport(claim.number, state, memory())


def memory() -> int:
    """Memory of this process in bytes, without pages that are shared or backed by files."""
    used = psutil.Process().memory_info()
    return used.rss - getattr(used, "shared", 0)


def when_ready() -> dict[str, Any]:
    """A worker's first answer, once it can train: the identity of its process, and its memory."""
    return {"ready": provenance.process(), "memory": memory()}


def when_failed(error: Exception) -> dict[str, Any]:
    """A worker's first answer, if it failed to start."""
    return {"error": one_line(error), "exit_code": getattr(error, "exit_code", 1)}


def main() -> None:
    """Read a job in JSON from standard input, then one request per line; answer each with a line of JSON."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to the log
    requests = os.fdopen(os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a plugin that reads gets nothing, and takes no request
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent stops its workers
    with outside_databases(signal.SIGTERM):
        _work(requests, answers)


def _work(requests: TextIO, answers: TextIO) -> None:
    start = json.loads(requests.readline())
    try:
        worker = Worker(Job.from_plain(start["job"]))
        if start["check"]:
            worker.check()
    except Exception as error:
        _answer(answers, when_failed(error))
        raise
    _answer(answers, when_ready())
    for _ in requests:  # closed when the parent exits
        report = worker.trial()
        _answer(answers, {"report": report and vars(report)})


def _answer(answers: TextIO, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
