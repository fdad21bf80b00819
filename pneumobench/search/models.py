"""Stores the models of a study's best trials only, so that a thousand trials do not fill the disk."""

from __future__ import annotations

from pneumobench.experiment.fit import Fitted
from pneumobench.experiment.logged import log_model
from pneumobench.search.objectives import value_of
from pneumobench.search.trials import Trials
from pneumobench.tracking.recorder import Recorder
from pneumobench.tracking.store import Store

KEPT = "model_kept"


def save(run: Recorder, fitted: Fitted, trials: Trials, value: float, keep: int | None) -> None:
    """Log a trial's model if its value is among the best `keep`, or if all models are kept (None)."""
    values = [other for trial in trials.best() if (other := value_of(trial)) is not None]
    better = sum(other >= value if trials.maximizes else other <= value for other in values)
    if keep is not None and better >= keep:
        return
    log_model(run, fitted)
    run.tags({KEPT: "yes"})


def delete_surplus(store: Store, parent: str, trials: Trials, keep: int | None) -> None:
    """Delete the models of the trials that are no longer among the best."""
    if keep is None:
        return
    with trials.storage.lock(trials.name):
        best = {str(trial.number) for trial in trials.best(keep)}
        running = {str(trial.number) for trial in trials.running()}
        for run in store.children(parent, {KEPT: "yes"}):
            if run.data.tags["trial"] not in best | running:
                store.delete_model(run)
                Recorder(store, run.info.run_id).tags({KEPT: "no"})
