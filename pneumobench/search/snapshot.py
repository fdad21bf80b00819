"""The state of a study at one moment, read from its storage alone, so that workers on all machines are included."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from pneumobench.search.endings import ERROR
from pneumobench.search.objectives import value_of
from pneumobench.search.space import PLUGIN
from pneumobench.search.trials import PROCESS, Trials


@dataclass(frozen=True)
class RunningTrial:
    """A running trial: its worker ("host:pid"), its finished epochs, and the metric after the last of them."""

    number: int
    plugin: str
    worker: str
    epoch: int
    value: float | None


@dataclass(frozen=True)
class EndedTrial:
    """A trial that has ended; if it was pruned, `value` is its last intermediate value."""

    number: int
    plugin: str
    state: str
    value: float | None
    error: str
    seconds: float


@dataclass(frozen=True)
class Snapshot:
    """Trials by state, running and ended trials, improvements of the best value, and the speed.

    `improvements` are (trial number, value), in order of completion; `rate` is in trials per second; `left` is the
    estimated remaining time in seconds, None where it is unknown yet.
    """

    name: str
    metric: str
    target: int
    states: dict[str, int]
    running: tuple[RunningTrial, ...]
    ended: tuple[EndedTrial, ...]
    improvements: tuple[tuple[int, float], ...]
    seconds: float
    rate: float
    left: float | None

    @property
    def finished(self) -> int:
        """Complete and pruned trials."""
        return self.states["complete"] + self.states["pruned"]


def snapshot(trials: Trials, before: int, seconds: float) -> Snapshot:
    """The study now; `before` trials were finished when the search started, `seconds` ago."""
    every = trials.all()
    states = trials.states()
    done = states["complete"] + states["pruned"]
    rate = (done - before) / seconds if seconds else 0.0
    ended = [t for t in every if t.state.is_finished()]
    ended.sort(key=lambda t: (str(t.datetime_complete), t.number))
    best: list[tuple[int, float]] = []
    for trial in ended:
        value = value_of(trial)
        if trial.state is TrialState.COMPLETE and value is not None:
            better = not best or (value > best[-1][1] if trials.maximizes else value < best[-1][1])
            best += [(trial.number, value)] if better else []
    return Snapshot(
        name=trials.name,
        metric=trials.study.user_attrs["metric"],
        target=trials.target,
        states=states,
        running=tuple(_running(t) for t in every if t.state is TrialState.RUNNING),
        ended=tuple(_ended(t) for t in ended),
        improvements=tuple(best),
        seconds=seconds,
        rate=rate,
        left=max(0, trials.target - done) / rate if rate else None,
    )


def _running(trial: FrozenTrial) -> RunningTrial:
    process = trial.user_attrs.get(PROCESS, {})
    return RunningTrial(
        number=trial.number,
        plugin=str(trial.params.get(PLUGIN, "")),
        worker=f"{process.get('host', '')}:{process.get('pid', '')}",
        epoch=trial.last_step or 0,
        value=_last(trial),
    )


def _ended(trial: FrozenTrial) -> EndedTrial:
    return EndedTrial(
        number=trial.number,
        plugin=str(trial.params.get(PLUGIN, "")),
        state=trial.state.name.lower(),
        value=value_of(trial) if trial.state is TrialState.COMPLETE else _last(trial),
        error=str(trial.user_attrs.get(ERROR, "")),
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
    )


def _last(trial: FrozenTrial) -> float | None:
    return trial.intermediate_values[trial.last_step] if trial.last_step is not None else None
