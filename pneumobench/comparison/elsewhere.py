"""A comparison at another site: each pair's difference there, and whether it is the one at home."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pneumobench.errors import UsageError, unknown
from pneumobench.evaluation import estimates, labels, paired, sites, stratified
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.pair import Pair
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.sites import Contrast
from pneumobench.tracking import judged
from pneumobench.tracking.runs import Experiment, TrackedRun

Models = Mapping[str, Sequence[Predictions]]


@dataclass(frozen=True)
class Elsewhere:
    """One site: the figure of each plugin at home and there, each pair's difference there, and its contrast with home.

    The metric there may be AUROC within a column; `left_out` names plugins that were not judged there.
    """

    site: str
    images: int
    metric: str
    figures: dict[str, tuple[Estimate, Estimate]]
    pairs: tuple[Pair, ...]
    contrasts: tuple[Contrast, ...]
    looks: int
    left_out: tuple[str, ...]

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [
            f"At {self.site} the frozen models are scored on {self.images:,} images by {labels.label(self.metric)}; "
            "its patients and those at home are independent, so that variances add. The same: at least half of "
            "the difference at home is kept, and no more than half added. It cannot be told where neither that nor "
            "a change is shown.",
            f"Looks at the images of {self.site} before the latest of these results: {self.looks}.",
        ]
        return lines + [f"Left out at {self.site}: {one}." for one in self.left_out]

    def __json__(self) -> dict[str, Any]:
        figures = {name: {"home": home, "away": away} for name, (home, away) in self.figures.items()}
        return vars(self) | {"figures": figures}


def check(runs: Sequence[TrackedRun], names: Sequence[str], within: str | None, metric: str) -> None:
    """Raises: UsageError for a site where no model was judged, or a column without a site or with another metric."""
    known = {site for run in runs for site in judged.sites(run.tags)}
    for name in names:
        if name not in known:
            if not known:
                raise UsageError(f"no model was judged at {name}; `pneumobench external --data DIR --site {name}` does")
            raise unknown("site", name, known)
    if within is not None and not names:
        raise UsageError("--within is for the images of a --site; --metric auroc_within_COLUMN is for those at home")
    if within is not None and metric != "auroc":
        raise UsageError(f"--within is for AUROC, not {metric}")


def judged_at(site: str, chosen: Mapping[str, Experiment]) -> dict[str, list[Predictions]]:
    """The predictions there of those plugins whose every model was judged there."""
    return {
        name: one.predictions(judged.part(site))
        for name, one in chosen.items()
        if all(site in judged.sites(run.tags) for run in one.runs)
    }


def compare(
    site: str,
    chosen: Mapping[str, Experiment],
    home: Models,
    pairs: Sequence[Pair],
    *,
    metric: str,
    within: str | None = None,
    shared: Collection[frozenset[str]] = (),
    folds: Collection[str] = (),
    resamples: int = paired.RESAMPLES,
) -> Elsewhere:
    """The same pairs at a site, of those plugins whose every model was judged there.

    Raises: UsageError where no pair is left; DataError where two were judged on different images under one name.
    """
    of = {name: [judged.sites(run.tags).get(site) for run in one.runs] for name, one in chosen.items()}
    away = judged_at(site, chosen)
    left_out = [f"{name} was not judged there by all of its models" for name in chosen if name not in away]
    both = [pair for pair in pairs if {pair.plugin, pair.reference} <= away.keys()]
    if not both:
        raise UsageError(f"no pair was judged at {site}: {'; '.join(left_out)}; `pneumobench external` does it")
    metric_there = stratified.name(within) if within else metric
    first = next(iter(away.values()))[0]
    if within:
        stratified.check(first.label, first.columns, within)
    trainings = {name: [run.training for run in chosen[name].runs] for name in away}
    there = {
        (pair.plugin, pair.reference): pair
        for pair in paired.compare(
            away,
            both[0].reference,
            metric_there,
            trainings=trainings,
            shared=shared,
            folds=folds,
            all_pairs=len({pair.reference for pair in both}) > 1,
            resamples=resamples,
        )
    }
    found = [(pair, there[pair.plugin, pair.reference]) for pair in both]
    at_home = {name: home[name] for name in away}
    here, elsewhere = (
        estimates.evaluate_all(where, only=(which,)) for where, which in ((at_home, metric), (away, metric_there))
    )
    looks = [judgement.looks for name in away for judgement in of[name] if judgement is not None]
    return Elsewhere(
        site=site,
        images=len(first),
        metric=metric_there,
        figures={name: (here[name][metric], elsewhere[name][metric_there]) for name in away},
        pairs=tuple(pair for _, pair in found),
        contrasts=tuple(sites.contrasts(site, at_home, away, found, trainings=trainings, shared=shared)),
        looks=max(looks),
        left_out=tuple(left_out),
    )
