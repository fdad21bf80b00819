"""One trial: train it, evaluate it on validation, report it to Optuna, and log it to MLflow."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from pneumobench.authoring.study import SECONDS
from pneumobench.data.prepare import Prepared
from pneumobench.errors import one_line
from pneumobench.evaluation import metrics
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.context import Context
from pneumobench.experiment.fit import Fitted, Place, fit
from pneumobench.experiment.session import Session, checkpoints_of
from pneumobench.search import models
from pneumobench.search.endings import INTERRUPTED, KILLS
from pneumobench.search.plan import Plan
from pneumobench.search.storage import HEARTBEAT
from pneumobench.search.summary import file_of
from pneumobench.search.trials import RUN, Claim, Trials
from pneumobench.tracking.history import History
from pneumobench.tracking.recorder import Recorder, recording
from pneumobench.tracking.store import Store
from pneumobench.training.checkpoint import Checkpoints
from pneumobench.utils import provenance
from pneumobench.utils.progress import Epoch

KEYS = {SECONDS: "training_seconds"}  # objectives that are logged under another name
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
        logged = run.steps("loss") if KILLS in claim.trial.user_attrs else set()

        def on_epoch(epoch: Epoch) -> None:
            figures = epoch.metrics()
            if epoch.number not in logged:
                history.add(epoch.number, figures)
            if len(self.plan.metrics) > 1:  # Optuna takes reports for one objective alone
                return
            if epoch.number not in reported:
                claim.trial.report(figures[self.plan.metric], epoch.number)
            # pruning after the last epoch would save no time
            if not epoch.earlier and epoch.number < epoch.of and claim.trial.should_prune():
                raise optuna.TrialPruned(f"after epoch {epoch.number} of {epoch.of}")

        fitted: list[Fitted] = []
        try:
            for seed in self.plan.seeds:  # the first one is reported, and may be pruned
                fitted.append(
                    fit(
                        replace(context, train=replace(context.train, seed=seed)),
                        Place(
                            on_epoch=partial(_reports, None if fitted else on_epoch),
                            checkpoints=checkpoints and checkpoints.of_part(f"seed {seed}"),
                        ),
                    )
                )
        except optuna.TrialPruned as pruned:
            history.write()
            self.trials.prune(claim)
            run.tags({"state": "pruned", "pruned": str(pruned)})
            return "pruned"
        history.write()
        self._complete(claim, context, run, fitted)
        return "complete"

    def _complete(self, claim: Claim, context: Context, run: Recorder, fitted: Sequence[Fitted]) -> None:
        """Evaluate and log what was trained, and end the trial with the mean of each of the study's objectives."""
        measured = []
        with tempfile.TemporaryDirectory() as folder:
            for repeat, one in enumerate(fitted):
                predicted = {"validation": one.validation}
                if context.images.development.corrupted is not None:
                    predicted["corrupted"] = one.predict(context.images.development.corrupted)
                for part, predictions in predicted.items():
                    predictions.write(Path(folder) / "predictions" / file_of(part, repeat))
                measured.append(_measured(one, predicted))
            run.artifacts(Path(folder))
        mean, first = _mean(measured, self.plan.seeds), fitted[0]
        values = [mean[KEYS.get(metric, metric)] for metric in self.plan.metrics]
        run.metrics(mean)
        run.tags({"precision": first.predictor.precision, "parameters": first.predictor.parameters})
        models.save(run, first, self.trials, values[0], self.keep_models)
        self.trials.complete(claim, *values)
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


def _reports(on_epoch: Callable[[Epoch], None] | None, fold: int) -> Callable[[Epoch], None]:
    return on_epoch or (lambda epoch: None)


def _mean(measured: Sequence[Mapping[str, float]], seeds: Sequence[int]) -> dict[str, float]:
    """The mean of each metric over a trial's trainings, its standard deviation and each one's value; one is itself.

    The threshold is the first one's, whose model may be kept.
    """
    if len(measured) == 1:
        return dict(measured[0])
    mean: dict[str, float] = {}
    for name in measured[0]:
        values = [one[name] for one in measured]
        mean |= {name: float(np.mean(values)), f"{name}_sd": float(np.std(values, ddof=1))}
        mean |= {f"{name}_seed_{seed}": value for seed, value in zip(seeds, values, strict=True)}
    return mean | {name: measured[0][name] for name in ("threshold", "threshold_ties")}


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
