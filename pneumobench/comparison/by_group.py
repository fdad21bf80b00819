"""A comparison by groups of images: each plugin's figure in each, each pair's difference, and whether it depends."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pneumobench.errors import UsageError
from pneumobench.evaluation import estimates, labels, paired, subgroups, words
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.family import ALPHA
from pneumobench.evaluation.pair import Pair
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.subgroups import Groups, Interaction

HOME = "test"  # the place of a model's own test images, beside the names of sites
Models = Mapping[str, Sequence[Predictions]]


@dataclass(frozen=True)
class Group:
    """One group: its images by class, the class that all images were taken of ("" if none), figures and pairs."""

    name: str
    counts: dict[str, int]
    against: str
    figures: dict[str, Estimate]
    pairs: tuple[Pair, ...]

    @property
    def title(self) -> str:
        """ "viral (148 pneumonia; 234 normal, all)"."""
        parts = [f"{count:,} {name}{', all' if name == self.against else ''}" for name, count in self.counts.items()]
        return f"{self.name} ({'; '.join(parts)})"

    def less(self, plugin: str, reference: str) -> Pair | None:
        """The pair of a plugin and a reference, where it was tested."""
        return next((pair for pair in self.pairs if _names(pair) == (plugin, reference)), None)


@dataclass(frozen=True)
class ByGroup:
    """The groups of one column's values on the images of one place, and of each pair whether its difference depends."""

    column: str
    place: str
    metric: str
    groups: tuple[Group, ...]
    interactions: dict[tuple[str, str], Interaction]
    left_out: tuple[str, ...]

    @property
    def title(self) -> str:
        """Which groups of which images."""
        return f"by {self.column}, {'test images' if self.place == HOME else f'images of {self.place}'}"

    def sentences(self) -> list[str]:
        """Of each pair its differences by group, and what the test of interaction says."""
        lines = []
        for pair, test in self.interactions.items():
            own = [(group.name, one) for group in self.groups for one in group.pairs if _names(one) == pair]
            each = ", ".join(f"{name} {words.difference(one.difference, one.low, one.high)}" for name, one in own)
            who = pair[0] if own[0][1].of_plugins else f"these trained models of {pair[0]}"
            what = f"the difference of {who} from {pair[1]} in {labels.label(self.metric)}"
            if test.p != test.p:
                answer = "whether it depends on the group cannot be tested"
            else:
                answer = "depends on the group" if test.p_corrected < ALPHA else "is not shown to depend on the group"
                answer += f" (F({test.df[0]:.0f}, {test.df[1]:.0f}) {test.F:.2f}"
                answer += f", corrected p {words.p_value(test.p_corrected)})"
            lines.append(f"{self.title}: {what} {answer}: {each}.")
        return lines

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [
            f"By {self.column}: the intervals of a group's differences hold together with 95 % over the pairs, not "
            "over the groups, which are exploratory; whether a difference depends on the group is tested by Wald's F "
            "over patients (and trainings), with p corrected by Holm over all such tests here."
        ]
        if any(group.against for group in self.groups):
            lines.append("A group of one class alone is set against all images of the other class.")
        return lines + [f"Left out: {one}." for one in self.left_out]

    def __json__(self) -> dict[str, Any]:
        tests = [
            {"plugin": plugin, "reference": reference} | vars(test)
            for (plugin, reference), test in self.interactions.items()
        ]
        return vars(self) | {"interactions": tests}


def places(columns: Sequence[str], models: Mapping[str, Models]) -> dict[tuple[str, str], Groups]:
    """The groups of each column at each of the places (HOME, and sites) where the images have it.

    Raises: UsageError for a column that no images have, or of which no group is large enough.
    """
    groups: dict[tuple[str, str], Groups] = {}
    for column in columns:
        known = {place: _values(_first(own), column) for place, own in models.items()}
        there = {place: values for place, values in known.items() if values is not None}
        if not there:
            every = sorted({name for own in models.values() for name in (*_first(own).columns, "subtype")})
            raise UsageError(f"--by takes a column of the images, not '{column}'; they have: {', '.join(every)}")
        own = {(column, place): subgroups.groups(_first(models[place]).label, v, column) for place, v in there.items()}
        if not any(one.rows for one in own.values()):
            reasons = "; ".join(line for one in own.values() for line in one.left_out) or "no image has a value"
            raise UsageError(f"no group by {column} can be compared: {reasons}")
        groups |= own
    return groups


def compare(
    column: str,
    place: str,
    groups: Groups,
    models: Models,
    reference: str,
    metric: str,
    *,
    validation: Models | None = None,
    trainings: Mapping[str, Sequence[Hashable]] | None = None,
    shared: Collection[frozenset[str]] = (),
    folds: Collection[str] = (),
    all_pairs: bool = False,
    resamples: int = subgroups.RESAMPLES,
) -> ByGroup:
    """All figures and pairs in each group; p of the interactions is not yet corrected, see `corrected`."""
    found = []
    for name, rows in groups.rows.items():
        own = {plugin: [model.take(rows) for model in trained] for plugin, trained in models.items()}
        pairs = paired.compare(
            own,
            reference,
            metric,
            validation=validation,
            trainings=trainings,
            shared=shared,
            folds=folds,
            all_pairs=all_pairs,
            resamples=resamples,
        )
        counts = np.bincount(_first(own).label, minlength=2).tolist()
        figures = estimates.evaluate_all(own, only=(metric,))
        found.append(
            Group(
                name=name,
                counts=dict(zip(("normal", "pneumonia"), counts, strict=True)),
                against=groups.against.get(name, ""),
                figures={plugin: one[metric] for plugin, one in figures.items()},
                pairs=tuple(pairs),
            )
        )
    names = [_names(pair) for pair in found[0].pairs] if found else []
    tests = _interactions(groups, models, names, metric, resamples) if len(found) > 1 else {}
    return ByGroup(column, place, metric, tuple(found), tests, groups.left_out)


def corrected(every: Sequence[ByGroup]) -> list[ByGroup]:
    """The same with the p of all their interactions corrected together (Holm)."""
    p = iter(subgroups.holm([test.p for one in every for test in one.interactions.values()]))
    return [
        replace(one, interactions={pair: replace(test, p_corrected=next(p)) for pair, test in one.interactions.items()})
        for one in every
    ]


def _interactions(
    groups: Groups, models: Models, pairs: Sequence[tuple[str, str]], metric: str, resamples: int
) -> dict[tuple[str, str], Interaction]:
    figures = {
        name: subgroups.figures(models[name], groups.rows, metric, resamples=resamples)
        for name in dict.fromkeys(name for pair in pairs for name in pair)
    }
    patients = len(np.unique(_first(models).patient))
    return {
        (one, other): subgroups.interaction(*subgroups.differences_of(figures[one], figures[other], patients))
        for one, other in pairs
    }


def _values(model: Predictions, column: str) -> np.ndarray | None:
    return model.subtype if column == "subtype" else model.columns.get(column)


def _first(models: Models) -> Predictions:
    return next(iter(models.values()))[0]


def _names(pair: Pair) -> tuple[str, str]:
    return pair.plugin, pair.reference
