"""A study's sampler and pruner, made safe for parallel workers and several plugins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from pneumobench.search.space import PLUGIN

STARTUP = 4  # finished trials of a plugin before its next one may be pruned


def sampler(choice: str | Callable[[int], Any], seed: int) -> BaseSampler:
    """The sampler of a study, with the study's seed."""
    if callable(choice):
        return PerTrial(choice, seed)
    if choice == "tpe":
        return PerTrial(lambda trial_seed: optuna.samplers.TPESampler(seed=trial_seed), seed)
    # a grid's trials are enqueued
    return PerTrial(lambda trial_seed: optuna.samplers.RandomSampler(seed=trial_seed), seed)


def pruner(choice: str | Callable[[], Any]) -> optuna.pruners.BasePruner:
    """The pruner of a study."""
    if callable(choice):
        return WithinPlugin(choice())
    if choice == "none":
        return optuna.pruners.NopPruner()
    return WithinPlugin(optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=1))


class PerTrial(BaseSampler):
    """A sampler created anew for each trial, seeded with the study's seed and the trial's number.

    So no two workers draw the same values, and a resumed study continues as if it had never been stopped.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int):
        self._make, self._seed = make, seed
        self._inner = make(seed)

    def before_trial(self, study: Any, trial: FrozenTrial) -> None:
        trial_seed = np.random.SeedSequence((self._seed, trial.number)).generate_state(1)[0]
        self._inner = self._make(int(trial_seed))
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Any, trial: FrozenTrial) -> dict[str, Any]:
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(self, study: Any, trial: FrozenTrial, search_space: dict[str, Any]) -> dict[str, Any]:
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(self, study: Any, trial: FrozenTrial, param_name: str, param_distribution: Any) -> Any:
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Any, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._inner.after_trial(study, trial, state, values)


class WithinPlugin(optuna.pruners.BasePruner):
    """A pruner that compares trials of the same plugin only, as plugins learn at different speeds at first."""

    def __init__(self, inner: optuna.pruners.BasePruner):
        self._inner = inner

    def prune(self, study: Any, trial: FrozenTrial) -> bool:
        alone: Any = _OfPlugin(study, trial.params.get(PLUGIN))
        return self._inner.prune(alone, trial)


class _OfPlugin:
    """A study with the trials of one plugin."""

    def __init__(self, study: Any, plugin: Any):
        self._study, self._plugin = study, plugin

    def get_trials(self, deepcopy: bool = True, states: Any = None) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy=deepcopy, states=states)
        return [trial for trial in trials if trial.params.get(PLUGIN) == self._plugin]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)
