"""From tracked trainings to an answer: which of them may be compared, each one's figures, and each pair's verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pneumobench.authoring import registry
from pneumobench.authoring.differences import REFERENCE, differences
from pneumobench.comparison import by_group, elsewhere, permutations, select
from pneumobench.comparison.answer import Answer
from pneumobench.comparison.comparison import Standing
from pneumobench.data.lockbox import Margin
from pneumobench.errors import PneumobenchError, UsageError
from pneumobench.evaluation import estimates, labels, paired, subgroups
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking.runs import Experiment, TrackedRun


def check(metric: str, margin: float | None) -> None:
    """Raises: UsageError for a metric that is not compared, or a margin that is not positive."""
    paired.check(metric)
    if margin is not None and not margin > 0:
        raise UsageError(f"--margin is a difference above 0, not {margin:g}")


def compare(
    runs: Sequence[TrackedRun],
    names: Sequence[str] = (),
    *,
    against: str = REFERENCE,
    metric: str = "auroc",
    policy: str | None = None,
    all_pairs: bool = False,
    margin: Margin | None = None,
    sites: Sequence[str] = (),
    within: str | None = None,
    by: Sequence[str] = (),
    resamples: int = paired.RESAMPLES,
) -> Answer:
    """Compare plugins, or the runs that ids name, with a reference on the test images that they have in common.

    At each of `sites`, where frozen models were judged, the same pairs are compared too, AUROC `within` a column; and
    everywhere inside the groups of the columns `by`, such as "subtype" or "sex".
    Without names: of every plugin the latest experiment with most seeds, on the images of the reference.
    Raises: UsageError where nothing is left to compare, saying what to run.
    """
    paired.check(metric)
    elsewhere.check(runs, sites, within, metric)
    selection = select.pick(runs, names, against, policy)
    picked = selection.experiments
    reference = next(one for one in picked if select.names(one, against))
    chosen_ones = {select.label(one, picked): one for one in picked}
    label = next(name for name, one in chosen_ones.items() if one is reference)
    models = {name: one.predictions("test") for name, one in chosen_ones.items()}
    held_out = {name: one.predictions("validation") for name, one in chosen_ones.items() if one.has_validation}
    shared, folds = select.sharing(chosen_ones), [name for name, one in chosen_ones.items() if "folds" in one.tags]
    trainings = {name: [run.training for run in one.runs] for name, one in chosen_ones.items()}
    everywhere = {by_group.HOME: models} | {site: elsewhere.judged_at(site, chosen_ones) for site in sites}
    groups = by_group.places(by, {place: own for place, own in everywhere.items() if label in own and len(own) > 1})
    pairs = paired.compare(
        models,
        label,
        metric,
        validation=held_out,
        trainings=trainings,
        shared=shared,
        folds=folds,
        margin=None if margin is None else margin.margin,
        all_pairs=all_pairs,
        resamples=resamples,
    )
    figures = {"test": estimates.evaluate_all(models), "validation": estimates.evaluate_validation(held_out)}
    standings = [
        Standing(
            name=name,
            experiment=one,
            test=figures["test"][name],
            validation=figures["validation"].get(name, {}),
            differs=_differs(one),
        )
        for name, one in chosen_ones.items()
    ]
    sign = labels.of(metric).sign
    standings.sort(key=lambda standing: -sign * standing.test[metric].value)
    own = models[label]
    published = estimates.published_for(own[0].label)
    pairs.sort(key=lambda pair: -sign * pair.difference)
    judged_at = [
        elsewhere.compare(
            site,
            chosen_ones,
            models,
            pairs,
            metric=metric,
            within=within,
            shared=shared,
            folds=folds,
            resamples=resamples,
        )
        for site in sites
    ]
    grouped = [
        by_group.compare(
            column,
            place,
            own,
            everywhere[place],
            label,
            metric,
            validation=held_out if place == by_group.HOME else None,
            trainings=trainings,
            shared=shared,
            folds=folds,
            all_pairs=all_pairs,
            resamples=min(resamples, subgroups.RESAMPLES),
        )
        for (column, place), own in groups.items()
    ]
    return Answer(
        dataset=reference.tags["dataset"],
        fingerprint=reference.tags["fingerprint"],
        images=len(own[0]),
        metric=metric,
        reference=label,
        standings=tuple(standings),
        pairs=tuple(pairs),
        published=published,
        published_among=_among(own, published.value) if published else None,
        majority=estimates.majority(own[0].label),
        left_out=selection.left_out,
        division=selection.division,
        all_pairs=all_pairs,
        margin=margin,
        sites=tuple(judged_at),
        groups=tuple(by_group.corrected(grouped)),
        permuted=permutations.sentences(runs, chosen_ones, models),
    )


def _differs(one: Experiment) -> dict[str, str]:
    """In which fields the plugin differs from the baseline as they are now; empty where it cannot be loaded."""
    set_knobs = {"knobs": one.tags["set"]} if "set" in one.tags else {}
    if one.plugin == REFERENCE:
        return set_knobs
    try:
        return differences(registry.load(one.plugin), registry.load(REFERENCE)) | set_knobs
    except PneumobenchError:
        return set_knobs


def _among(models: Sequence[Predictions], published: float) -> tuple[int, int] | None:
    """How many of several seeds are less accurate at 0.5 than the published figure, of how many."""
    accuracies = [float(np.mean((model.probability >= 0.5) == model.label)) for model in models]
    return (sum(one < published for one in accuracies), len(accuracies)) if len(accuracies) > 1 else None
