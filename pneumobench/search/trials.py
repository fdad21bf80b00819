"""A study's trials: claimed one by one, ended as what they were, and given again where they failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from pneumobench.authoring.study import DIRECTIONS
from pneumobench.errors import UsageError, told, unknown
from pneumobench.search import samplers
from pneumobench.search.plan import Plan
from pneumobench.search.space import PLUGIN, same
from pneumobench.search.storage import Storage
from pneumobench.utils import provenance
from pneumobench.utils.provenance import redact

RETRIES = 2  # how often a failed trial is tried again with the same parameters
IN_A_ROW = 10  # failures that end a study
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
KILLED, INTERRUPTED = "the process was killed", "interrupted"
ERROR, PROCESS, ATTEMPT, FIRST, RUN = "error", "process", "attempt", "retry_of", "mlflow_run"


@dataclass(frozen=True)
class Claim:
    """A trial that this process is to train: a plugin with all of its knobs."""

    trial: Any
    plugin: str
    knobs: dict[str, Any]

    @property
    def number(self) -> int:
        """The trial's number, from 0."""
        return self.trial.number


class Trials:
    """The trials of one study in a storage. With a `plan` they can be claimed, without one only looked at."""

    def __init__(self, storage: Storage, name: str, plan: Plan | None = None):
        self.storage, self.name, self._plan = storage, name, plan
        if name not in storage.names():
            raise unknown("study in the storage", name, storage.names())
        self.study = optuna.load_study(
            study_name=name,
            storage=storage.optuna,
            sampler=samplers.sampler(plan.study.sampler, plan.train.seed) if plan else None,
            pruner=samplers.pruner(plan.study.pruner) if plan else None,
        )

    @classmethod
    def opened(cls, storage: Storage, name: str, plan: Plan, bound: Mapping[str, Any]) -> Trials:
        """The study of this name, made where there is none.

        Raises: UsageError that names what differs, where there is one with other images, budget or space.
        """
        with storage.lock(name):
            if name not in storage.names():
                direction: Any = DIRECTIONS[plan.metric]
                made = optuna.create_study(storage=storage.optuna, study_name=name, direction=direction)
                for key, value in (("metric", plan.metric), ("bound", json.dumps(dict(bound)))):
                    made.set_user_attr(key, value)
                made.set_metric_names([plan.metric])
        found = cls(storage, name, plan)
        found.check(bound)
        return found

    def check(self, bound: Mapping[str, Any]) -> None:
        """Raises: UsageError that says which of what binds the study is not as it was."""
        before = json.loads(self.study.user_attrs["bound"])
        differing = [key for key in {**before, **bound} if before.get(key) != bound.get(key)]
        if differing:
            what = "; ".join(
                f"{key}: {before.get(key, 'none')} there, {bound.get(key, 'none')} here" for key in differing
            )
            raise UsageError(f"study '{self.name}' was begun otherwise ({what}); --as gives this one a name of its own")

    # -- what there is ---------------------------------------------------------------------------------------------

    def all(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials in these states, or all, by number."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def states(self) -> dict[str, int]:
        """How many trials are in each state: "complete", "pruned", "fail", "running", "waiting"."""
        every = self.all()
        return {state.name.lower(): sum(trial.state is state for trial in every) for state in TrialState}

    def alone(self, plugin: str) -> tuple[Any, list[str]]:
        """One plugin's complete trials as a study in memory, and the names of its parameters."""
        own = [trial for trial in self.all(TrialState.COMPLETE) if trial.params.get(PLUGIN) == plugin]
        study = optuna.create_study(direction=self.study.direction)
        study.add_trials(own)
        return study, [name for name in dict.fromkeys(n for trial in own for n in trial.params) if name != PLUGIN]

    def running(self) -> list[FrozenTrial]:
        """The trials under way."""
        return self.all(TrialState.RUNNING)

    @property
    def target(self) -> int:
        """How many finished trials the study is to hold."""
        return int(self.study.user_attrs.get("trials", 0))

    @property
    def maximizes(self) -> bool:
        """Whether a higher value is better."""
        return self.study.direction == optuna.study.StudyDirection.MAXIMIZE

    def best(self, count: int | None = None) -> list[FrozenTrial]:
        """The complete trials, the best first; of equal ones the earlier."""
        sign = -1 if self.maximizes else 1
        return sorted(self.all(TrialState.COMPLETE), key=lambda t: (sign * (t.value or 0.0), t.number))[:count]

    def failures(self, since: datetime) -> list[FrozenTrial]:
        """The trials that failed one after the other, up to now, since a time; interruptions are no failures."""
        ended = [
            t for t in self.all(*FINISHED, TrialState.FAIL) if t.datetime_complete and t.datetime_complete >= since
        ]
        ended = [t for t in ended if t.user_attrs.get(ERROR) != INTERRUPTED]
        ended.sort(key=lambda t: (t.datetime_complete, t.number), reverse=True)
        count = next((i for i, t in enumerate(ended) if t.state is not TrialState.FAIL), len(ended))
        return ended[:count]

    def is_exhausted(self) -> bool:
        """Whether a grid has no combination left that is not tried or being tried."""
        return self._combinations is not None and not self._waiting() and self._untried() is None

    def is_done(self) -> bool:
        """Whether the study holds what it is to hold."""
        return len(self.all(*FINISHED)) >= self.target

    # -- what changes ----------------------------------------------------------------------------------------------

    def aim(self, trials: int) -> None:
        """Set how many finished trials the study is to hold."""
        self.study.set_user_attr("trials", trials)

    def claim(self) -> Claim | None:
        """A trial for this process; None where enough are finished or under way, or a grid has nothing left.

        Raises: what the space of a plugin raises; the trial is failed then.
        """
        assert self._plan, "a study that is only looked at has no trials to give"
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
            self.beat(trial)
            try:
                return Claim(trial, *self._plan.space.draw(trial))
            except Exception as error:
                self._fail(_id(trial), told(error))
                raise

    def beat(self, trial: Any) -> None:
        """A sign of life, for other machines."""
        self.storage.optuna.record_heartbeat(_id(trial))  # type: ignore[attr-defined]

    def complete(self, claim: Claim, value: float) -> None:
        """End a trial with its value."""
        self.study.tell(claim.trial, value)

    def prune(self, claim: Claim) -> None:
        """End a trial that was stopped early."""
        self.study.tell(claim.trial, state=TrialState.PRUNED)

    def fail(self, claim: Claim, error: str) -> None:
        """End a trial that went wrong, and give it again with the same parameters where that is due."""
        with self.storage.lock(self.name):
            self._fail(_id(claim.trial), error)

    def end_dead(self, error: str = KILLED, dead: Sequence[Mapping[str, str]] = ()) -> None:
        """Fail the trials whose process is gone: on this host, or among those known to be `dead`."""
        with self.storage.lock(self.name):
            self._end_dead(error, dead)

    def _end_dead(self, error: str = KILLED, dead: Sequence[Mapping[str, str]] = ()) -> None:
        for trial in self.all(TrialState.RUNNING):
            process = trial.user_attrs.get(PROCESS)
            # without one it was claimed by a process that died in the middle of it: we hold the lock now
            if process is None or process in dead or provenance.is_alive(process) is False:
                self._fail(_id(trial), error)
        optuna.storages.fail_stale_trials(self.study)

    def _fail(self, trial_id: int, error: str) -> None:
        storage = self.storage.optuna
        try:
            storage.set_trial_user_attr(trial_id, ERROR, redact(error)[:2000])
            storage.set_trial_state_values(trial_id, TrialState.FAIL)
        except optuna.exceptions.UpdateFinishedTrialError:  # another process was quicker
            return
        retry(self.study, storage.get_trial(trial_id))

    @cached_property
    def _combinations(self) -> list[dict[str, Any]] | None:
        return self._plan.combinations if self._plan else None

    def _waiting(self) -> bool:
        return bool(self.all(TrialState.WAITING))

    def _untried(self) -> dict[str, Any] | None:
        tried = {same(trial.params) for trial in self.all()}
        return next((params for params in self._combinations or () if same(params) not in tried), None)


def _id(trial: Any) -> int:
    """A trial's id in the storage, which Optuna shows on no public attribute."""
    return trial._trial_id


def retry(study: Any, failed: FrozenTrial) -> None:
    """Enqueue a failed trial's parameters, at most `RETRIES` times; an interruption does not count."""
    attempt = failed.user_attrs.get(ATTEMPT, 0) + (failed.user_attrs.get(ERROR) != INTERRUPTED)
    if attempt <= RETRIES and PLUGIN in failed.params:
        study.enqueue_trial(
            failed.params, user_attrs={ATTEMPT: attempt, FIRST: failed.user_attrs.get(FIRST, failed.number)}
        )
