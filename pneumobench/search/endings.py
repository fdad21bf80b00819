"""How trials end that do not complete: failed ones are retried under a new number, cut-off ones resumed."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from pneumobench.search.space import PLUGIN
from pneumobench.utils.provenance import redact

RETRIES = 2  # how often a failed or killed trial is tried again with the same parameters
KILLED, INTERRUPTED = "the process was killed", "interrupted"
ERROR, ATTEMPT, FIRST = "error", "attempt", "retry_of"
KILLS = "kills"  # how often the process of this very trial was killed


def fail(study: Any, trial_id: int, error: str) -> None:
    """End a trial as FAIL, and enqueue its parameters again; nothing where another process has ended it already."""
    storage = study._storage
    try:
        storage.set_trial_user_attr(trial_id, ERROR, redact(error)[:2000])
        storage.set_trial_state_values(trial_id, TrialState.FAIL)
    except optuna.exceptions.UpdateFinishedTrialError:
        return
    retry(study, storage.get_trial(trial_id))


def retry(study: Any, failed: FrozenTrial) -> None:
    """Enqueue a failed trial's parameters again, at most `RETRIES` times, not counting interruptions."""
    attempt = failed.user_attrs.get(ATTEMPT, 0) + (failed.user_attrs.get(ERROR) != INTERRUPTED)
    if attempt <= RETRIES and PLUGIN in failed.params:
        study.enqueue_trial(
            failed.params, user_attrs={ATTEMPT: attempt, FIRST: failed.user_attrs.get(FIRST, failed.number)}
        )


def cut_off(study: Any, trial_id: int, error: str) -> None:
    """Let a trial whose process ended wait to be resumed; it fails where it was killed too often.

    The next claim is given it under its own number, with its parameters and what it had reported.
    """
    storage = study._storage
    trial = storage.get_trial(trial_id)
    kills, attempt = (trial.user_attrs.get(name, 0) + (error != INTERRUPTED) for name in (KILLS, ATTEMPT))
    try:
        storage.set_trial_user_attr(trial_id, KILLS, kills)
        if attempt > RETRIES or PLUGIN not in trial.params:
            fail(study, trial_id, error)
            return
        storage.set_trial_user_attr(trial_id, ATTEMPT, attempt)
        storage.set_trial_user_attr(trial_id, ERROR, error)
        storage.set_trial_state_values(trial_id, TrialState.WAITING)
    except optuna.exceptions.UpdateFinishedTrialError:  # another process has ended it already
        return


def stale(study: Any) -> list[int]:
    """The ids of running trials whose heartbeats stopped: what Optuna's `fail_stale_trials` would fail."""
    return study._storage._get_stale_trial_ids(study._study_id)
