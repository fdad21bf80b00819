"""Is one plugin better than another, by how much, and how sure is that: in pairs, on the same images."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from itertools import combinations

import numpy as np

from pneumobench.errors import DataError, UsageError, unknown
from pneumobench.evaluation import bootstrap, metrics, rechosen, stratified
from pneumobench.evaluation.family import Family
from pneumobench.evaluation.pair import Pair
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.variance import Trainings, spread

RESAMPLES = 10_000
RECHOSEN = 2_000  # resamples at most where every one of them chooses its thresholds
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
OF_FOLDS = "the mean of folds' models is one training: no interval over trainings is known"
Models = Sequence[Predictions]  # one plugin's trainings
Name = tuple[str, str]  # a plugin and its reference


def compare(
    plugins: Mapping[str, Models],
    reference: str,
    metric: str = "auroc",
    *,
    validation: Mapping[str, Models] | None = None,
    trainings: Mapping[str, Sequence[Hashable]] | None = None,
    shared: Collection[frozenset[str]] = (),
    folds: Collection[str] = (),
    margin: float | None = None,
    all_pairs: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Pair]:
    """Every plugin against the reference (or `all_pairs`), over patients and trainings; the pairs are one family.

    A plugin's models are its trainings, whatever makes them differ: seed, split seed, or both. The variance is that of
    `variance.spread`; where a side has fewer than three trainings, it is the patients' alone, and the sentence is
    about these trained models. Interval and verdict are one procedure, Bonferroni's, with Student's t.

    `validation` holds each model's validation predictions: thresholds of sentences about plugins are then chosen anew
    on resampled validation patients; those of a plugin that it lacks stay. `shared` names pairs whose trainings belong
    together, such as an ensemble and its member: their variance is that of the differences by training, matched by
    `trainings` (each model's key, such as (seed, split seed); without it by their order). `folds` names plugins whose
    models are means of folds' models: these count as one training each (Nadeau and Bengio's correction, Machine
    Learning 52, 2003, is for K scores of K models and does not fit a mean model that is scored once). A `margin` adds
    what the interval shows of non-inferiority and equivalence: one-sided tests at half of alpha, as ICH E9 has them.
    Raises: UsageError for an unknown metric or reference, or a margin that is not positive; DataError where they do
    not judge the same images.
    """
    check(metric)
    if reference not in plugins:
        raise unknown("plugin to compare with", reference, plugins)
    if len(plugins) < 2:
        raise UsageError(f"a comparison takes two plugins at least; there is {reference} alone")
    if margin is not None and not margin > 0:
        raise UsageError(f"a margin is a positive difference, not {margin}")
    first = plugins[reference][0]
    for name, models in plugins.items():
        if any(not one.same_images(first) for one in models):
            raise DataError(f"{name} and {reference} do not judge the same images; they cannot be compared in pairs")
    names = [(name, reference) for name in plugins if name != reference]
    if all_pairs:
        names = [(one, other) for other, one in combinations(plugins, 2)]
    fixed = sides(plugins, metric, resamples=resamples, seed=seed)
    moving = fixed
    if validation is not None and has_threshold(metric) and any(_many(fixed, pair) for pair in names):
        moving = sides(plugins, metric, validation=validation, resamples=min(resamples, RECHOSEN), seed=seed)
    family = Family(plugins, metric, len(names), margin)
    pairs = []
    for pair in names:
        keys = [trainings[name] if trainings else range(len(plugins[name])) for name in pair]
        in_common = [key for key in keys[0] if key in keys[1]] if frozenset(pair) in shared else None
        of_plugins = _many(fixed, pair) and (in_common is None or len(in_common) >= SEEDS)
        one, other = ((moving if of_plugins else fixed)[name] for name in pair)
        random: list[Trainings] = [one, other] if of_plugins else []
        if of_plugins and in_common is not None:
            one, other = (
                side.take([list(own).index(key) for key in in_common])
                for side, own in zip((one, other), keys, strict=True)
            )
            random = [one.less(other)]
        over = spread(one.mean - other.mean, random, family.patients, family.alike, family.span)
        note = OF_FOLDS if not of_plugins and set(pair) & set(folds) else ""
        pairs.append(family.pair(pair, one.value - other.value, over, of_plugins=of_plugins, note=note))
    return pairs


def check(metric: str) -> None:
    """Raises: UsageError for a metric that is not compared."""
    if metric not in METRICS and not stratified.column_of(metric):
        raise unknown("metric", metric, METRICS)


def has_threshold(metric: str) -> bool:
    """Whether a metric depends on the threshold that validation chose."""
    return metric in metrics.AT_THRESHOLD


def sides(
    plugins: Mapping[str, Models],
    metric: str,
    *,
    validation: Mapping[str, Models] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Trainings]:
    """Each plugin's figures, as they are and on resampled patients, the same for all; see `compare`."""
    every = [(name, i, model) for name, models in plugins.items() for i, model in enumerate(models)]
    patients, whole = every[0][2].patient, metrics.whole(len(every[0][2]))
    draws = {name: np.empty((resamples, len(models))) for name, models in plugins.items()}
    at = {
        (name, i): rechosen.thresholds(validation[name][i], resamples, seed)
        if name in validation
        else np.full(resamples, model.operating.threshold)
        for name, i, model in every
        if validation
    }
    for rows, W in bootstrap.blocks(patients, resamples, seed):
        for name, i, model in every:
            draws[name][rows, i] = (
                rechosen.figures(model, metric, at[name, i][rows], W) if at else of_metric(model, metric, W)
            )
    return {
        name: Trainings(np.array([of_metric(model, metric, whole)[0] for model in models]), draws[name])
        for name, models in plugins.items()
    }


def of_metric(model: Predictions, metric: str, W: np.ndarray) -> np.ndarray:
    """A metric of a model, (resamples,), for image weights W (resamples, n); nan where undefined."""
    return stratified.of_model(model, metric, W)


def _many(fixed: Mapping[str, Trainings], pair: Name) -> bool:
    return min(fixed[name].count for name in pair) >= SEEDS
