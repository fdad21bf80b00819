"""Is one plugin better than another, by how much, and how sure is that: in pairs, on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.stats import binomtest, norm

from pneumobench.errors import DataError, UsageError, unknown
from pneumobench.evaluation import bootstrap, delong, labels, metrics, words
from pneumobench.evaluation.predictions import Predictions

RESAMPLES = 10_000
ALPHA = 0.05
POWER = 0.8
SEEDS = 3  # on either side, before a sentence may speak of plugins and not of these trained models
METRICS = (
    "auroc",
    "accuracy",
    "accuracy_at_0.5",
    "balanced_accuracy",
    "sensitivity",
    "sensitivity_at_0.5",
    "specificity",
    "specificity_at_0.5",
    "brier",
    "log_loss",
)
Verdict = Literal["better", "worse", "no difference detected"]
Models = Sequence[Predictions]  # one plugin's seeds


@dataclass(frozen=True)
class Pair:
    """A plugin against the reference; `difference` is the plugin's figure less the reference's.

    The interval and `p` are from the bootstrap, `p_corrected` is Holm's over all pairs, `detectable` the smallest
    difference that would have been found with a probability of 0.8. DeLong's and McNemar's p take images as
    independent and compare the first seed of each; None where they do not apply.
    """

    plugin: str
    reference: str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    p_corrected: float
    detectable: float
    verdict: Verdict
    of_plugins: bool
    delong_p: float | None
    mcnemar_p: float | None

    @property
    def sentence(self) -> str:
        """What may be said, in words."""
        who, other = (self.plugin, self.reference)
        if not self.of_plugins:
            who, other = f"these trained models of {who}", f"those of {other}"
        name = labels.label(self.metric)
        how = words.difference(self.difference, self.low, self.high)
        how += f", corrected p {words.p_value(self.p_corrected)}"
        be = "is" if self.of_plugins else "are"
        if self.verdict == "no difference detected":
            return (
                f"Between {who} and {other} no difference in {name} was detected ({how}), and one smaller than "
                f"{self.detectable:.3f} could not have been."
            )
        subject = who if self.of_plugins else f"T{who[1:]}"
        return f"{subject} {be} {self.verdict} than {other} in {name}: {how}."

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"sentence": self.sentence}


def compare(
    plugins: Mapping[str, Models],
    reference: str,
    metric: str = "auroc",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Pair]:
    """Every plugin against the reference, from a paired bootstrap over patients and seeds.

    All pairs see the same resamples of patients. A plugin's seeds are drawn with replacement in each resample, so
    that the interval covers both which patients came and how the trainings fell out. `p` is twice the smaller
    share of resamples on one side of no difference.
    Raises: UsageError for an unknown metric or reference; DataError where they do not judge the same images.
    """
    check(metric)
    if reference not in plugins:
        raise unknown("plugin to compare with", reference, plugins)
    if len(plugins) < 2:
        raise UsageError(f"a comparison takes two plugins at least; there is {reference} alone")
    first = plugins[reference][0]
    for name, models in plugins.items():
        for one in models:
            if not one.same_images(first):
                raise DataError(
                    f"{name} and {reference} do not judge the same images; they cannot be compared in pairs"
                )

    def figures(W: np.ndarray) -> dict[tuple[str, int], np.ndarray]:
        return {(name, i): of_metric(m, metric, W) for name, models in plugins.items() for i, m in enumerate(models)}

    every = bootstrap.over_patients(figures, first.patient, resamples, seed)
    whole = metrics.whole(len(first))
    draws, points = {}, {}
    for place, (name, models) in enumerate(plugins.items()):
        own = np.stack([every[name, i] for i in range(len(models))], axis=1)
        draws[name] = bootstrap.over_seeds(own, seed + 1000 * place)
        points[name] = float(np.mean([of_metric(one, metric, whole)[0] for one in models]))
    others = [name for name in plugins if name != reference]
    pairs = [
        _pair(name, reference, metric, plugins, points[name] - points[reference], draws[name] - draws[reference])
        for name in others
    ]
    corrected = holm([pair.p for pair in pairs])
    return [
        replace(
            pair,
            p_corrected=p,
            detectable=_detectable(draws[pair.plugin] - draws[reference], len(pairs)),
            verdict=_verdict(pair.difference, p, labels.of(metric).sign),
        )
        for pair, p in zip(pairs, corrected, strict=True)
    ]


def check(metric: str) -> None:
    """Raises: UsageError for a metric that is not compared."""
    if metric not in METRICS:
        raise unknown("metric", metric, METRICS)


def of_metric(model: Predictions, metric: str, W: np.ndarray) -> np.ndarray:
    """A metric of a model, (resamples,), for image weights W (resamples, n); nan where undefined."""
    return metrics.one(metric, model.label, model.probability, model.subtype, model.operating.threshold, W)


def holm(p: Sequence[float]) -> list[float]:
    """P-values corrected for how many there are (Holm, Scand. J. Statist. 6, 1979); nan is not counted."""
    from statsmodels.stats.multitest import multipletests

    values = np.array(p, float)
    defined = np.isfinite(values)
    if defined.any():
        values[defined] = multipletests(values[defined], method="holm")[1]
    return [float(value) for value in values]


def mcnemar(first: Predictions, second: Predictions, *, half: bool = False) -> float:
    """McNemar's exact p for the decisions of two models, at their thresholds or at 0.5 (`half`)."""
    said = [(m.probability >= 0.5 if half else m.predicted) == (m.label == 1) for m in (first, second)]
    only_first, only_second = int((said[0] & ~said[1]).sum()), int((said[1] & ~said[0]).sum())
    return float(binomtest(only_first, only_first + only_second).pvalue) if only_first + only_second else 1.0


def _pair(
    name: str, reference: str, metric: str, plugins: Mapping[str, Models], difference: float, draws: np.ndarray
) -> Pair:
    low, high = bootstrap.interval(draws)
    one, other = plugins[name][0], plugins[reference][0]
    decided = metric.startswith("accuracy")
    return Pair(
        plugin=name,
        reference=reference,
        metric=metric,
        difference=difference,
        low=low,
        high=high,
        p=_two_sided(draws),
        p_corrected=float("nan"),
        detectable=float("nan"),
        verdict="no difference detected",
        of_plugins=min(len(plugins[name]), len(plugins[reference])) >= SEEDS,
        delong_p=delong.compare(one.label, one.probability, other.probability).p if metric == "auroc" else None,
        mcnemar_p=mcnemar(one, other, half=metric.endswith("_at_0.5")) if decided else None,
    )


def _two_sided(draws: np.ndarray) -> float:
    """Twice the smaller share of resamples on one side of 0, itself counted among them (Davison and Hinkley, 1997)."""
    defined = draws[np.isfinite(draws)]
    below, above = (defined <= 0).sum() + 1, (defined >= 0).sum() + 1
    return float(min(1.0, 2 * min(below, above) / (len(defined) + 1)))


def _detectable(draws: np.ndarray, pairs: int) -> float:
    """The difference that a test at ALPHA, shared among the pairs, finds with a probability of POWER."""
    error = float(np.nanstd(draws))
    return float((norm.isf(ALPHA / (2 * pairs)) + norm.isf(1 - POWER)) * error)


def _verdict(difference: float, p: float, sign: int) -> Verdict:
    if not p < ALPHA:
        return "no difference detected"
    return "better" if sign * difference > 0 else "worse"
