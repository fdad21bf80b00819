"""A study's trials: claimed one by one, ended with their state; resumed where they were cut off, retried if failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from pneumobench.authoring.study import direction
from pneumobench.errors import UsageError, one_line, unknown
from pneumobench.search import endings, samplers
from pneumobench.search.endings import ERROR, INTERRUPTED, KILLED, KILLS
from pneumobench.search.objectives import first_objective, value_of
from pneumobench.search.plan import Plan
from pneumobench.search.space import PLUGIN, canonical
from pneumobench.search.storage import Storage
from pneumobench.utils import provenance

IN_A_ROW = 10  # consecutive failures that end a study
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
PROCESS, RUN = "process", "mlflow_run"


@dataclass(frozen=True)
class Claim:
    """A trial reserved for this process to train: a plugin with the values of all its knobs."""

    trial: Any
    plugin: str
    knobs: dict[str, Any]

    @property
    def number(self) -> int:
        """The trial's number, from 0."""
        return self.trial.number


class Trials:
    """The trials of one study in a storage. With a `plan` they can be claimed, without one only read."""

    def __init__(self, storage: Storage, name: str, plan: Plan | None = None):
        self.storage, self.name, self._plan = storage, name, plan
        if name not in storage.names():
            raise unknown("study in the storage", name, storage.names())
        self.study = optuna.load_study(
            study_name=name,
            storage=storage.optuna,
            sampler=samplers.sampler(plan.study.sampler, plan.train.seed) if plan else None,
            pruner=samplers.pruner(plan.study.pruner if plan.prunes else "none") if plan else None,
        )

    @classmethod
    def open_or_create(cls, storage: Storage, name: str, plan: Plan, identity: Mapping[str, Any]) -> Trials:
        """The study of this name, created if it does not exist.

        Raises: UsageError that names the differences, if it exists with other images, epochs or space.
        """
        with storage.lock(name):
            if name not in storage.names():
                directions: Any = [direction(metric) for metric in plan.metrics]
                study = optuna.create_study(storage=storage.optuna, study_name=name, directions=directions)
                attributes = {"metric": plan.metric, "metrics": plan.metrics, "repeats": plan.repeats}
                for key, value in {**attributes, "bound": json.dumps(dict(identity))}.items():
                    study.set_user_attr(key, value)
                study.set_metric_names(list(plan.metrics))
        trials = cls(storage, name, plan)
        trials.check_identity(identity)
        return trials

    def check_identity(self, identity: Mapping[str, Any]) -> None:
        """Raises: UsageError that names the settings that differ from those the study was started with."""
        before = json.loads(self.study.user_attrs["bound"])
        differing = [key for key in {**before, **identity} if before.get(key) != identity.get(key)]
        if differing:
            differences = "; ".join(
                f"{key}: {before.get(key, 'none')} there, {identity.get(key, 'none')} here" for key in differing
            )
            raise UsageError(
                f"study '{self.name}' was started with other settings ({differences}); --as NAME starts another"
            )

    # -- reading -----------------------------------------------------------------------------------------------------

    def all(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials in these states, or all, by number."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def states(self) -> dict[str, int]:
        """How many trials are in each state: "complete", "pruned", "fail", "running", "waiting"."""
        every = self.all()
        return {state.name.lower(): sum(trial.state is state for trial in every) for state in TrialState}

    def of_plugin(self, plugin: str) -> tuple[Any, list[str]]:
        """One plugin's complete trials as an in-memory study, and the names of its parameters."""
        trials = [trial for trial in self.all(TrialState.COMPLETE) if trial.params.get(PLUGIN) == plugin]
        study = optuna.create_study(direction=self.study.directions[0])
        study.add_trials([first_objective(trial) for trial in trials])
        return study, [name for name in dict.fromkeys(n for trial in trials for n in trial.params) if name != PLUGIN]

    def running(self) -> list[FrozenTrial]:
        """The running trials."""
        return self.all(TrialState.RUNNING)

    @property
    def target(self) -> int:
        """The number of finished trials at which the study ends."""
        return int(self.study.user_attrs.get("trials", 0))

    @property
    def maximizes(self) -> bool:
        """Whether a higher value of the first objective is better."""
        return self.study.directions[0] == optuna.study.StudyDirection.MAXIMIZE

    @property
    def metrics(self) -> list[str]:
        """The objectives, the one that ranks the trials first."""
        return list(self.study.user_attrs.get("metrics") or [self.study.user_attrs["metric"]])

    @property
    def repeats(self) -> int:
        """With how many seeds each trial is trained."""
        return int(self.study.user_attrs.get("repeats", 1))

    def pareto(self) -> list[int]:
        """The numbers of the trials that no other one beats in every objective; [] for a single objective."""
        return [trial.number for trial in self.study.best_trials] if len(self.metrics) > 1 else []

    def best(self, count: int | None = None) -> list[FrozenTrial]:
        """The complete trials, the best first; equal ones in order of their numbers."""
        sign = -1 if self.maximizes else 1
        return sorted(self.all(TrialState.COMPLETE), key=lambda t: (sign * (value_of(t) or 0.0), t.number))[:count]

    def failures(self, since: datetime) -> list[FrozenTrial]:
        """The latest consecutive failed trials since a time, each as often as it was killed; no interrupted ones."""
        ended = [
            t for t in self.all(*FINISHED, TrialState.FAIL) if t.datetime_complete and t.datetime_complete >= since
        ]
        ended = [t for t in ended if t.user_attrs.get(ERROR) != INTERRUPTED]
        ended.sort(key=lambda t: (t.datetime_complete, t.number), reverse=True)
        count = next((i for i, t in enumerate(ended) if t.state is not TrialState.FAIL), len(ended))
        return [trial for trial in ended[:count] for _ in range(max(1, trial.user_attrs.get(KILLS, 0)))]

    def is_exhausted(self) -> bool:
        """Whether every combination of a grid has been tried or is running."""
        return self._combinations is not None and not self._waiting() and self._untried() is None

    def is_done(self) -> bool:
        """Whether the study has enough finished trials."""
        return len(self.all(*FINISHED)) >= self.target

    # -- writing -----------------------------------------------------------------------------------------------------

    def set_target(self, trials: int) -> None:
        """Set the number of finished trials at which the study ends."""
        self.study.set_user_attr("trials", trials)

    def claim(self) -> Claim | None:
        """A trial for this process; None where enough are finished or running, or a grid is exhausted.

        Raises: what the space of a plugin raises, after the trial is marked as failed.
        """
        assert self._plan, "trials can be claimed with a plan only"
        with self.storage.lock(self.name):
            self._end_dead()
            if len(self.all(*FINISHED, TrialState.RUNNING)) >= self.target:
                return None
            if self._combinations is not None and not self._waiting():
                params = self._untried()
                if params is None:
                    return None
                self.study.enqueue_trial(params)
            trial = self.study.ask()
            trial.set_user_attr(PROCESS, provenance.process())
            self.heartbeat(trial)
            try:
                return Claim(trial, *self._plan.space.draw(trial))
            except Exception as error:
                endings.fail(self.study, _id(trial), one_line(error))
                raise

    def heartbeat(self, trial: Any) -> None:
        """Record a heartbeat, for other machines."""
        self.storage.optuna.record_heartbeat(_id(trial))  # type: ignore[attr-defined]

    def complete(self, claim: Claim, *values: float) -> None:
        """End a trial with its value for each objective."""
        self.study.tell(claim.trial, list(values))

    def prune(self, claim: Claim) -> None:
        """End a trial that was stopped early."""
        self.study.tell(claim.trial, state=TrialState.PRUNED)

    def fail(self, claim: Claim, error: str) -> None:
        """End a trial that failed, and retry it with the same parameters unless it was retried too often."""
        with self.storage.lock(self.name):
            endings.fail(self.study, _id(claim.trial), error)

    def interrupt(self, claim: Claim) -> None:
        """Let a trial wait for the next claim, which resumes it under its own number."""
        with self.storage.lock(self.name):
            endings.cut_off(self.study, _id(claim.trial), INTERRUPTED)

    def reported(self, claim: Claim) -> set[int]:
        """The epochs of a resumed trial that the storage holds."""
        return set(self.storage.optuna.get_trial(_id(claim.trial)).intermediate_values)

    def end_dead(self, error: str = KILLED, dead: Sequence[Mapping[str, str]] = ()) -> None:
        """Let trials wait to be resumed whose process no longer exists: on this host, or one of those in `dead`."""
        with self.storage.lock(self.name):
            self._end_dead(error, dead)

    def _end_dead(self, error: str = KILLED, dead: Sequence[Mapping[str, str]] = ()) -> None:
        for trial in self.all(TrialState.RUNNING):
            process = trial.user_attrs.get(PROCESS)
            # no process: the claiming process died before it wrote the attribute, as it would hold the lock otherwise
            if process is None or process in dead or provenance.is_alive(process) is False:
                endings.cut_off(self.study, _id(trial), error)
        for trial_id in endings.stale(self.study):
            endings.cut_off(self.study, trial_id, error)

    @cached_property
    def _combinations(self) -> list[dict[str, Any]] | None:
        return self._plan.combinations if self._plan else None

    def _waiting(self) -> bool:
        return bool(self.all(TrialState.WAITING))

    def _untried(self) -> dict[str, Any] | None:
        tried = {canonical(trial.params) for trial in self.all()}
        return next((params for params in self._combinations or () if canonical(params) not in tried), None)


def _id(trial: Any) -> int:
    """A trial's id in the storage, for which Optuna has no public attribute."""
    return trial._trial_id
