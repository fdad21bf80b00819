"""One trial: train it, evaluate it on validation, report it to Optuna, and log it to MLflow."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from pneumobench.data.prepare import Prepared
from pneumobench.errors import one_line
from pneumobench.evaluation import metrics
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.context import Context
from pneumobench.experiment.fit import Fitted, fit
from pneumobench.experiment.session import Session, checkpoints_of
from pneumobench.search import models
from pneumobench.search.endings import INTERRUPTED
from pneumobench.search.plan import Plan
from pneumobench.search.storage import HEARTBEAT
from pneumobench.search.trials import RUN, Claim, Trials
from pneumobench.tracking.history import History
from pneumobench.tracking.recorder import Recorder, recording
from pneumobench.tracking.store import Store
from pneumobench.training.checkpoint import Checkpoints
from pneumobench.utils import provenance
from pneumobench.utils.progress import Epoch, Progress
from pneumobench.utils.timing import Clock

BETWEEN_WRITES = 5.0  # seconds: epochs are logged in batches, so that a fast training does not wait for the store


@dataclass(frozen=True)
class Objective:
    """What all trials of a worker share; calling it trains one claimed trial and returns its final state.

    `parent` is the study's MLflow run, `experiment` its experiment id; `keep_models` how many models to keep, None
    for all.
    """

    plan: Plan
    trials: Trials
    images: Prepared
    store: Store
    parent: str
    experiment: str
    keep_models: int | None

    def __call__(self, claim: Claim) -> str:
        context = self.context(claim)
        tags = {"kind": "trial", "study": self.trials.name, "trial": claim.number, "state": "running"}
        tags |= {"seed": self.plan.train.seed, "metric": self.plan.metric}
        title = f"trial {claim.number}: {claim.plugin}"
        before = claim.trial.user_attrs.get(RUN)
        resume = before if before and self.store.run(before) else None
        try:
            with (
                heartbeats(self.trials, claim),
                recording(self.store, self.experiment, title, context.tags() | tags, self.parent, resume) as run,
                self._failing(claim, run),
                checkpoints_of(context, Session(self.store)) as checkpoints,
            ):
                claim.trial.set_user_attr(RUN, run.run_id)
                run.params(context.parameters)
                return self._train(claim, context, run, checkpoints)
        except Exception as error:
            return f"fail: {one_line(error)}"

    def _train(self, claim: Claim, context: Context, run: Recorder, checkpoints: Checkpoints | None) -> str:
        history = History(run, BETWEEN_WRITES)
        reported = self.trials.reported(claim)
        logged = run.steps("loss") if reported else set()

        def on_epoch(epoch: Epoch) -> None:
            figures = epoch.metrics()
            if epoch.number not in logged:
                history.add(epoch.number, figures)
            if epoch.number not in reported:
                claim.trial.report(figures[self.plan.metric], epoch.number)
            # pruning after the last epoch would save no time
            if not epoch.earlier and epoch.number < epoch.of and claim.trial.should_prune():
                raise optuna.TrialPruned(f"after epoch {epoch.number} of {epoch.of}")

        try:
            fitted = fit(
                context,
                seed=self.plan.train.seed,
                on_epoch=lambda fold: on_epoch,
                trained=lambda member: None,
                clock=Clock(),
                progress=Progress(),
                checkpoints=checkpoints,
            )
        except optuna.TrialPruned as pruned:
            history.write()
            self.trials.prune(claim)
            run.tags({"state": "pruned", "pruned": str(pruned)})
            return "pruned"
        history.write()
        self._complete(claim, context, run, fitted)
        return "complete"

    def _complete(self, claim: Claim, context: Context, run: Recorder, fitted: Fitted) -> None:
        """Evaluate and log a trained model, and end its trial with the study's metric."""
        predicted = {"validation": fitted.validation}
        if context.images.development.corrupted is not None:
            predicted["corrupted"] = fitted.predict(context.images.development.corrupted)
        measured = _measured(fitted, predicted)
        value = measured[self.plan.metric]
        with tempfile.TemporaryDirectory() as folder:
            for part, predictions in predicted.items():
                predictions.write(Path(folder) / "predictions" / f"{part}.parquet")
            run.artifacts(Path(folder))
        run.metrics(measured)
        run.tags({"precision": fitted.predictor.precision, "parameters": fitted.predictor.parameters})
        models.save(run, fitted, self.trials, value, self.keep_models)
        self.trials.complete(claim, value)
        run.tags({"state": "complete"})
        models.delete_surplus(self.store, self.parent, self.trials, self.keep_models)

    def context(self, claim: Claim) -> Context:
        """What is known about a trial before it is trained."""
        entry, plugin = self.plan.plugins[claim.plugin]
        train = replace(self.plan.train, epochs=self.plan.epochs_of(claim.plugin))
        return Context(entry, plugin, claim.knobs, self.images, train, name_in_study=claim.plugin)

    @contextmanager
    def _failing(self, claim: Claim, run: Recorder) -> Iterator[None]:
        """End the trial in Optuna on an exception, before its run ends in MLflow; an interrupted one waits."""
        try:
            yield
        except BaseException as error:  # Ctrl-C and SIGTERM among them
            failed = isinstance(error, Exception)
            if isinstance(error, Exception):
                self.trials.fail(claim, one_line(error))
            else:
                self.trials.interrupt(claim)
            run.tags({"state": "fail" if failed else INTERRUPTED})
            raise


def _measured(fitted: Fitted, predicted: Mapping[str, Predictions]) -> dict[str, float]:
    """A study's possible objectives, all validation metrics without intervals, and training time and speed."""
    plain, predictor = predicted["validation"], fitted.predictor
    validation = metrics.point(plain.label, plain.probability, plain.subtype, plain.operating.threshold)
    measured = {f"validation_{name}": value for name, value in validation.items()}
    measured |= {"val_auroc": validation["auroc"], "val_log_loss": validation["log_loss"]}
    if "corrupted" in predicted:
        corrupted = predicted["corrupted"]
        point = metrics.point_of_probabilities(corrupted.label, corrupted.probability)
        measured["val_auroc_corrupted"] = point["auroc"]
    measured |= {"threshold": plain.operating.threshold, "threshold_ties": plain.operating.ties}
    return measured | {
        "training_seconds": predictor.seconds,
        "training_images_per_second": predictor.images_per_second,
    }


@contextmanager
def heartbeats(trials: Trials, claim: Claim) -> Iterator[None]:
    """Record heartbeats for other machines from a thread, as an epoch may take longer than their grace period."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            trials.heartbeat(claim.trial)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def reconcile(store: Store, parent: str, trials: Trials) -> None:
    """End the MLflow runs of trials that have ended in Optuna, or wait to be resumed, with the same state."""
    known: dict[str, Any] = {str(trial.number): trial for trial in trials.all()}
    for run in store.children(parent, {"state": "running"}):
        trial = known.get(run.data.tags["trial"])
        waits = trial is not None and trial.state is TrialState.WAITING
        if provenance.is_alive(run.data.tags) or (trial is not None and not trial.state.is_finished() and not waits):
            continue
        state = INTERRUPTED if waits else trial.state.name.lower() if trial is not None else "fail"
        recorder = Recorder(store, run.info.run_id)
        recorder.tags({"state": state})
        if state in ("fail", INTERRUPTED):
            recorder.tags({"error": trial.user_attrs.get("error", "lost") if trial is not None else "lost"})
        store.client.set_terminated(run.info.run_id, "KILLED" if state in ("fail", INTERRUPTED) else "FINISHED")
