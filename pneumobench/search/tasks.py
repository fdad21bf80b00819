"""A study's trials as tasks for workers; their state is in the storage alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial

from pneumobench.execution.handles import WorkerDied
from pneumobench.search.endings import INTERRUPTED, KILLED
from pneumobench.search.trials import IN_A_ROW, Trials

TRIAL = "trial"  # the only request: a worker claims the next trial itself


class TrialTasks:
    """The trials that are missing to the study's target."""

    def __init__(self, trials: Trials):
        self._trials, self._began = trials, datetime.now()

    @property
    def is_over(self) -> bool:
        return self._trials.is_done() or bool(self.failures())

    @property
    def is_idle_for_good(self) -> bool:
        """Whether the study is done, or its grid is exhausted."""
        return self._trials.is_done() or (self._trials.is_exhausted() and not self._trials.running())

    def failures(self) -> list[FrozenTrial]:
        """The latest consecutive failed trials, if there are enough to end the study."""
        failed = self._trials.failures(self._began)
        return failed[:IN_A_ROW] if len(failed) >= IN_A_ROW else []

    def take(self) -> str:
        return TRIAL

    def tell(self, request: Any, told: Mapping[str, Any]) -> None:
        """Nothing: a trial's epochs are in the storage."""

    def done(self, request: Any, report: Mapping[str, Any]) -> None:
        """Nothing: its outcome is in the storage."""

    def lost(self, request: Any, death: WorkerDied) -> None:
        self._trials.end_dead(KILLED, [death.process] if death.process else [])

    def stopped(self, processes: Sequence[Mapping[str, str]], *, finished: bool) -> None:
        self._trials.end_dead(KILLED if finished else INTERRUPTED, processes)
