"""The values of a trial that has one objective, or several, of which the first ranks the trials."""

from __future__ import annotations

import optuna
from optuna.trial import FrozenTrial


def value_of(trial: FrozenTrial) -> float | None:
    """A trial's value for the first objective."""
    return trial.values[0] if trial.values else None


def first_objective(trial: FrozenTrial) -> FrozenTrial:
    """A complete trial of several objectives as one of the first alone."""
    if not trial.values or len(trial.values) == 1:
        return trial
    return optuna.trial.create_trial(params=trial.params, distributions=trial.distributions, value=value_of(trial))
