"""A study's worker: loads Keras and the images once, then trains one trial after the other."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pneumobench.authoring.knobs import resolve
from pneumobench.data import prepare
from pneumobench.errors import PneumobenchError, one_line
from pneumobench.execution.job import Tell
from pneumobench.search.endings import retry
from pneumobench.search.job import Job
from pneumobench.search.objective import Objective
from pneumobench.search.storage import Storage
from pneumobench.search.trials import Trials
from pneumobench.tracking.importing import import_mlflow
from pneumobench.tracking.store import Store
from pneumobench.training import backend, loadable, trainer
from pneumobench.training.corruption import Corrupted
from pneumobench.utils.progress import Progress


@dataclass(frozen=True)
class TrialReport:
    """The outcome of one trial: `state` as in MLflow's tag, with the error after "fail: "."""

    number: int
    state: str


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

    def work(self, request: Any, tell: Tell) -> dict[str, Any] | None:
        """Train one trial, as `trial` does."""
        report = self.trial()
        return None if report is None else asdict(report)

    def trial(self) -> TrialReport | None:
        """Claim and train one trial; None where there is no trial to claim now."""
        try:
            claim = self._trials.claim()
        except PneumobenchError as error:  # a space that returns unknown knobs
            return TrialReport(-1, f"fail: {one_line(error)}")
        if claim is None:
            return None
        state = self._objective(claim)
        backend.forget()
        if not self._frozen:  # what the first trial imported stays, so later collections can skip it
            gc.freeze()
            self._frozen = True
        return TrialReport(claim.number, state)


def opened(plain: Mapping[str, Any]) -> Worker:
    """The worker of a job that is given as plain values."""
    return Worker(Job.from_plain(plain))
