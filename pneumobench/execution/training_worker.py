"""A worker that trains single trainings of a call's experiments, each into its own run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pneumobench.data.options import DataOptions
from pneumobench.errors import one_line
from pneumobench.execution.job import Tell
from pneumobench.experiment.context import Context, Training
from pneumobench.experiment.plan import contexts_of
from pneumobench.experiment.recording import Record
from pneumobench.experiment.request import Request
from pneumobench.experiment.session import Session
from pneumobench.experiment.under_way import fit_fold, fitted
from pneumobench.tracking.importing import import_mlflow
from pneumobench.tracking.recorder import Recorder
from pneumobench.tracking.store import Store
from pneumobench.training import backend
from pneumobench.training.options import TrainOptions
from pneumobench.utils.progress import Epoch, Progress
from pneumobench.utils.timing import Clock


class TrainingWorker:
    """Has the images and every experiment of a call. Raises: what reading the images or loading a plugin raises."""

    def __init__(self, experiments: list[Mapping[str, Any]], data: DataOptions, tracking_uri: str):
        import_mlflow()
        self._store = Store(tracking_uri)
        requests = [
            Request(one["plugin"], one["knobs"], study=one["study"], train=TrainOptions(**one["train"]))
            for one in experiments
        ]
        first = TrainOptions(**experiments[0]["train"])
        self._contexts: list[Context] = contexts_of(requests, data, first, Session(self._store))

    def check(self) -> None:
        """Nothing: the process that asks has built every plugin once."""

    def work(self, request: Any, tell: Tell) -> dict[str, Any]:
        """Train one training of an experiment, or one fold of it, and log it; the error where it fails."""
        context, training = self._contexts[request["experiment"]], Training(*request["training"])
        session = Session(self._store, _Telling(tell), Clock())
        try:
            parent = Recorder(self._store, request["parent"])
            parent.is_resumed = request["is_resumed"]
            folds = {int(number): Recorder(self._store, run_id) for number, run_id in request["folds"].items()}
            for run in folds.values():
                run.is_resumed = request["is_resumed"]
            record = Record(context, parent, folds=folds, is_flat=request["is_flat"], clock=session.clock)
            if request["fold"] is not None:
                return {"seconds": fit_fold(context, training, record, session, request["fold"])}
            with record.training(training, resume=request["resume"], added_after=request["added_after"]):
                model = fitted(context, training, record, session)
            return {"run_id": record.of(training).run_id, "seconds": model.predictor.seconds}
        except Exception as error:
            return {"error": one_line(error), "exit_code": getattr(error, "exit_code", 1)}
        finally:
            backend.forget()


class _Telling(Progress):
    """Tells whoever started the worker of each epoch."""

    def __init__(self, tell: Tell):
        self._tell = tell

    def epoch(self, epoch: Epoch) -> None:
        self._tell(asdict(epoch))


def opened(plain: Mapping[str, Any]) -> TrainingWorker:
    """The worker of a job that is given as plain values."""
    return TrainingWorker(plain["experiments"], DataOptions(**plain["data"]), plain["tracking_uri"])
