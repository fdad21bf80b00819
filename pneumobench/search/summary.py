"""A study's summary: trials by state, the best ones and their ties, and how much of the search each plugin got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from pneumobench.errors import PneumobenchError
from pneumobench.evaluation import bootstrap, metrics, predictions
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.search.endings import ERROR
from pneumobench.search.objectives import value_of
from pneumobench.search.space import PLUGIN
from pneumobench.search.trials import FINISHED, RUN, Trials
from pneumobench.tracking.store import Store

BEST = 10  # trials that are shown, and compared with the best one
LOPSIDED = 2  # ratio of two plugins' trials from which a warning is given
ENOUGH = 4  # complete trials of a plugin needed to compute the importance of its knobs


@dataclass(frozen=True)
class RankedTrial:
    """A complete trial: its value, its parameters by Optuna's names, and whether it ties with the best."""

    number: int
    plugin: str
    value: float
    params: Mapping[str, Any]
    ties: bool | None  # None where its predictions are not available
    others: tuple[float, ...] = ()  # its values for the other objectives


@dataclass(frozen=True)
class PluginBudget:
    """A plugin's part of the search: finished trials, pruned ones among them, seconds, and its best value."""

    plugin: str
    trials: int
    pruned: int
    seconds: float
    best: float | None


@dataclass(frozen=True)
class Summary:
    """A study's state. `importances` are by plugin and knob, for plugins with enough trials; `errors` by message."""

    name: str
    metric: str
    target: int
    states: Mapping[str, int]
    best: tuple[RankedTrial, ...]
    budgets: tuple[PluginBudget, ...]
    importances: Mapping[str, Mapping[str, float]]
    exhausted: bool
    errors: Mapping[str, int]
    command: str | None
    others: tuple[str, ...] = ()  # the other objectives
    pareto: tuple[int, ...] = ()  # the trials that no other one beats in every objective
    repeats: int = 1

    @property
    def ties(self) -> list[int]:
        """The trials that do not differ significantly from the best one on validation, without the best one."""
        return [trial.number for trial in self.best[1:] if trial.ties]

    @property
    def lopsided(self) -> str | None:
        """A warning where one plugin got many more trials than another, else None."""
        counted = sorted(self.budgets, key=lambda budget: budget.trials)
        if len(counted) < 2 or counted[-1].trials < LOPSIDED * max(1, counted[0].trials):
            return None
        most, least = counted[-1], counted[0]
        return (
            f"Lopsided: {most.plugin} got {most.trials} trials ({most.seconds:,.0f} s), {least.plugin} {least.trials} "
            f"({least.seconds:,.0f} s); the best of many draws is better by chance alone."
        )

    def __json__(self) -> dict[str, Any]:
        return vars(self) | {"ties": self.ties, "lopsided": self.lopsided}


def summarise(trials: Trials, store: Store | None = None) -> Summary:
    """Summarise a study so far. Ties among the best trials are computed if the store of its runs is given."""
    every, metric = trials.all(), trials.study.user_attrs["metric"]
    best = trials.best(BEST)
    ties = ties_with_first(best, metric, store, trials.repeats) if store is not None else [None] * len(best)
    exhausted = not trials.is_done() and not trials.running() and bool(trials.study.user_attrs.get("exhausted"))
    return Summary(
        name=trials.name,
        metric=metric,
        target=trials.target,
        states=trials.states(),
        best=tuple(
            RankedTrial(t.number, t.params[PLUGIN], float(value_of(t) or 0.0), dict(t.params), tie, tuple(t.values[1:]))
            for t, tie in zip(best, ties, strict=True)
        ),
        budgets=budgets(every, trials.maximizes),
        importances=importances(trials),
        exhausted=exhausted,
        errors=_counted([str(t.user_attrs.get(ERROR, "")) for t in every if t.state is TrialState.FAIL]),
        command=f"pneumobench run {best[0].params[PLUGIN]} --from-study {trials.name} --seeds 5" if best else None,
        others=tuple(trials.metrics[1:]),
        pareto=tuple(trials.pareto()),
        repeats=trials.repeats,
    )


def budgets(trials: list[FrozenTrial], maximizes: bool) -> tuple[PluginBudget, ...]:
    """Each plugin's part of the search; the seconds include failed trials."""
    plugins = list(dict.fromkeys(name for t in trials for name in _choices(t)))
    shares = []
    for plugin in plugins:
        of_plugin = [t for t in trials if t.params.get(PLUGIN) == plugin]
        complete = [value_of(t) for t in of_plugin if t.state is TrialState.COMPLETE]
        values = [value for value in complete if value is not None]
        shares.append(
            PluginBudget(
                plugin=plugin,
                trials=sum(t.state in FINISHED for t in of_plugin),
                pruned=sum(t.state is TrialState.PRUNED for t in of_plugin),
                seconds=sum(t.duration.total_seconds() for t in of_plugin if t.duration),
                best=(max(values) if maximizes else min(values)) if values else None,
            )
        )
    return tuple(sorted(shares, key=lambda share: -share.trials))


def importances(trials: Trials) -> dict[str, dict[str, float]]:
    """The importance of each plugin's knobs over its complete trials (PED-ANOVA, Watanabe et al., IJCAI 2023)."""
    by_plugin = {}
    complete = trials.all(TrialState.COMPLETE)
    for plugin in dict.fromkeys(str(t.params.get(PLUGIN)) for t in complete):
        alone, names = trials.of_plugin(plugin)
        if len(alone.trials) < ENOUGH or not names:
            continue
        weights = optuna.importance.get_param_importances(alone, params=names)
        by_plugin[plugin] = {name.removeprefix(f"{plugin}."): float(weight) for name, weight in weights.items()}
    return by_plugin


def ties_with_first(best: list[FrozenTrial], metric: str, store: Store, repeats: int = 1) -> list[bool | None]:
    """Whether each trial ties with the first: the 95 % interval of their difference contains 0.

    A paired bootstrap over the validation patients, of the mean over a trial's repeats; None where predictions are
    missing.
    """
    part = "corrupted" if metric == "val_auroc_corrupted" else "validation"
    name = "log_loss" if metric == "val_log_loss" else "auroc"
    draws: list[np.ndarray | None] = []
    weights = None
    for trial in best:
        try:
            names = [file_of(part, repeat) for repeat in range(repeats)]
            files = [store.file(trial.user_attrs[RUN], f"predictions/{file}") for file in names]
            every = [predictions.read(path, OperatingPoint(0.5, "0.5", 1)) for path in files]
        except (PneumobenchError, KeyError):
            draws.append(None)
            continue
        if weights is None:
            weights = bootstrap.patient_weights(every[0].patient)
        drawn = [metrics.of_probabilities(one.label, one.probability, weights)[name] for one in every]
        draws.append(np.mean(drawn, axis=0))
    return [_contains_zero(drawn, draws[0]) for drawn in draws]


def file_of(part: str, repeat: int) -> str:
    """The file of a trial's predictions, numbered from its second training on."""
    return f"{part}_{repeat + 1}.parquet" if repeat else f"{part}.parquet"


def _contains_zero(drawn: np.ndarray | None, first: np.ndarray | None) -> bool | None:
    if drawn is None or first is None:
        return None
    low, high = bootstrap.interval(drawn - first)
    return bool(low <= 0 <= high)


def in_common(failed: list[FrozenTrial]) -> str:
    """What failed trials have in common: their error, and the parameters that are equal in all."""
    errors = _counted([str(t.user_attrs.get(ERROR, "")) for t in failed])
    params = [dict(t.params) for t in failed]
    shared = {name: value for name, value in params[0].items() if all(other.get(name) == value for other in params)}
    what = "; ".join(f"{count} x {error}" if len(errors) > 1 else error for error, count in errors.items())
    return f"{what} ({', '.join(f'{name} = {value}' for name, value in shared.items()) or 'no parameter in common'})"


def _choices(trial: FrozenTrial) -> list[str]:
    distribution = trial.distributions.get(PLUGIN)
    return list(getattr(distribution, "choices", ()))


def _counted(texts: list[str]) -> dict[str, int]:
    return {text: texts.count(text) for text in dict.fromkeys(texts)}
