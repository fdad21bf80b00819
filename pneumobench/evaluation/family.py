"""From a difference and its spread to an interval and a verdict, by one procedure for all pairs of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pneumobench.evaluation import delong, intervals, labels, mcnemar, metrics, stratified
from pneumobench.evaluation.pair import Equivalence, Pair, Verdict
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.variance import Spread

ALPHA = 0.05
POWER = 0.8


@dataclass(frozen=True)
class Family:
    """What all pairs of a comparison have in common: models on the same images, metric, number of pairs, margin."""

    plugins: Mapping[str, Sequence[Predictions]]
    metric: str
    size: int
    margin: float | None = None

    @property
    def patients(self) -> int:
        """How many patients the metric is about."""
        return len(self._images(self._denominator))

    @property
    def alike(self) -> float:
        """How many independent images the metric's are worth; of the smaller class where it needs both."""
        if self.metric in ("auroc", "balanced_accuracy") or stratified.column_of(self.metric):
            return min(intervals.effective(self._images(self._first.label == label)) for label in (0, 1))
        return intervals.effective(self._images(self._denominator))

    @property
    def span(self) -> float:
        """The largest difference that there can be."""
        known = labels.of(self.metric)
        return known.most - known.least

    def pair(self, names: tuple[str, str], difference: float, over: Spread, *, of_plugins: bool, note: str) -> Pair:
        """A pair's interval, and the verdict that agrees with it."""
        known, t = labels.of(self.metric), over.t(ALPHA / (2 * self.size))
        half = over.reach(t)
        interval = max(difference - half, -self.span), min(difference + half, self.span)
        p = 2 * over.tail(abs(difference))
        corrected = min(1.0, self.size * p)
        return Pair(
            plugin=names[0],
            reference=names[1],
            metric=self.metric,
            difference=difference,
            low=interval[0],
            high=interval[1],
            coverage=1 - ALPHA / self.size,
            pairs=self.size,
            p=p,
            p_corrected=corrected,
            detectable=over.reach(t + over.t(1 - POWER)),
            verdict=_verdict(difference, corrected, known.sign),
            of_plugins=of_plugins,
            df=over.df,
            note=note,
            **self._of_margin(difference, over, interval, known.sign),
            **self._of_single_models(names),
        )

    def _of_margin(self, difference: float, over: Spread, interval: tuple[float, float], sign: int) -> dict[str, Any]:
        """What the same interval says of the margin; the one-sided p-values are doubled to agree with it."""
        if self.margin is None:
            return {}
        low, high = interval if sign > 0 else (-interval[1], -interval[0])
        shown: Equivalence = "not shown"
        if low > -self.margin:
            shown = "equivalent" if high < self.margin else "no worse"
        distances = (self.margin + sign * difference, self.margin - sign * difference)
        p_no_worse, p_no_better = (min(1.0, 2 * self.size * over.tail(distance)) for distance in distances)
        return {
            "margin": self.margin,
            "p_no_worse": p_no_worse,
            "p_equivalent": max(p_no_worse, p_no_better),
            "equivalence": shown,
        }

    def _of_single_models(self, names: tuple[str, str]) -> dict[str, Any]:
        """DeLong's or McNemar's p of two plugins with one model each."""
        if any(len(self.plugins[name]) > 1 for name in names):
            return {}
        one, other = (self.plugins[name][0] for name in names)
        if self.metric == "auroc":
            return {"delong_p": delong.compare(one.label, one.probability, other.probability, one.patient).p}
        if self.metric.startswith("accuracy"):
            return {"mcnemar_p": mcnemar.p(one, other, half=self.metric.endswith(metrics.HALF))}
        return {}

    @property
    def _first(self) -> Predictions:
        return next(iter(self.plugins.values()))[0]

    @property
    def _denominator(self) -> np.ndarray:
        one = self._first
        return metrics.denominator(self.metric, one.label, one.probability, one.subtype, one.operating.threshold)

    def _images(self, about: np.ndarray) -> np.ndarray:
        """How many of these images each patient has, (patients,)."""
        return np.unique(self._first.patient[about], return_counts=True)[1]


def _verdict(difference: float, p: float, sign: int) -> Verdict:
    if not p < ALPHA:
        return "no difference detected"
    return "better" if sign * difference > 0 else "worse"
