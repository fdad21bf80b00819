"""Conformal sets of labels: sized on validation, and what they came to on the test images and at other sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pneumobench.comparison.comparison import Comparison
from pneumobench.comparison.report import bands
from pneumobench.comparison.report.drawings import TEXTS, rows
from pneumobench.comparison.report.svg import MARK, PAGE, PUBLISHED, SOFT
from pneumobench.evaluation import conformal
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import number
from pneumobench.tracking import judged
from pneumobench.tracking.runs import Experiment

HOME = "the test images"
AIM = 1 - conformal.ALPHA
MARKS = {"all": ("o", SOFT, SOFT), "normal": ("o", PAGE, MARK), "pneumonia": ("D", PUBLISHED, PUBLISHED)}


@dataclass(frozen=True)
class Covered:
    """A plugin's realised coverage at a place by group (all, each class, each site), and what its sets hold.

    `single` is the share of sets with one label, `empty` that of sets with none.
    """

    plugin: str
    images: int
    groups: dict[str, Estimate]
    single: float
    empty: float


@dataclass(frozen=True)
class Coverage:
    """One place: a row a plugin, a sentence, and the picture."""

    place: str
    rows: tuple[Covered, ...]
    svg: str

    @property
    def sentence(self) -> str:
        """What was realised, from the plugin with the least to that with the most."""
        least, most = (pick(self.rows, key=_of_all) for pick in (min, max))
        classes = "; ".join(
            f"of {group} images {number(min(values))} to {number(max(values))}"
            for group in ("normal", "pneumonia")
            if (values := [row.groups[group].value for row in self.rows if group in row.groups])
        )
        return (
            f"Realised on {self.place}: {number(_of_all(least))} ({least.plugin}) to {number(_of_all(most))} "
            f"({most.plugin}) of all images; {classes}."
        )


def of(comparison: Comparison, models: bands.Models, W: np.ndarray) -> list[Coverage]:
    """At home and at each site of the comparison; [] where no plugin has predictions on validation."""
    chosen = {one.name: one.experiment for one in comparison.standings if one.experiment.has_validation}
    if not chosen:
        return []
    found = [_at(HOME, {name: models[name] for name in chosen}, chosen, W)]
    for site in comparison.sites:
        there = {name: one.predictions(judged.part(site.site)) for name, one in chosen.items() if name in site.figures}
        if there:
            found.append(_at(site.site, there, chosen, bands.weights(there)))
    return found


def _at(place: str, models: bands.Models, chosen: Mapping[str, Experiment], W: np.ndarray) -> Coverage:
    covered = tuple(_covered(name, own, chosen[name].predictions("validation"), W) for name, own in models.items())
    return Coverage(place, covered, _drawn(place, covered))


def _covered(name: str, own: Sequence[Predictions], held_out: Sequence[Predictions], W: np.ndarray) -> Covered:
    """Every training's sets by the quantile of its own validation images; their mean."""
    levels = [conformal.quantile(one.label, one.probability) for one in held_out]
    at = {id(model): level for model, level in zip(own, levels, strict=True)}
    groups = conformal.groups(own[0], "site")

    def shares(model: Predictions, W: np.ndarray) -> np.ndarray:
        holds = conformal.covered(model.label, model.probability, at[id(model)])
        masks = np.column_stack(list(groups.values()))
        with np.errstate(invalid="ignore"):
            return np.asarray((W @ (masks * holds[:, None])) / (W @ masks))

    band = bands.of(own, shares, W)
    figures = zip(*(values.tolist() for values in band), strict=True)
    each = [conformal.realised(model, at[id(model)])[0] for model in own]
    single, empty = (float(np.mean([getattr(one, what) for one in each])) for what in ("single", "empty"))
    return Covered(name, len(own[0]), {g: Estimate(*f) for g, f in zip(groups, figures, strict=True)}, single, empty)


def _drawn(place: str, covered: Sequence[Covered]) -> str:
    """A row a plugin: coverage of all images, of normal ones and of pneumonia, each with its interval."""
    with rows(
        [row.plugin for row in covered], f"share of sets that hold the true label: {place}", TEXTS - 0.025
    ) as canvas:
        canvas.axes.axvline(AIM, color=SOFT, lw=0.8, ls=(0, (3, 3)), zorder=0)
        for row, one in enumerate(covered):
            for place_, (group, (mark, face, edge)) in enumerate(MARKS.items()):
                if group in one.groups:
                    y, figure = row + 0.22 * (place_ - 1), one.groups[group]
                    canvas.axes.plot([figure.low, figure.high], [y, y], color=edge, lw=1.2, solid_capstyle="butt")
                    canvas.axes.plot(figure.value, y, mark, ms=4.2, mfc=face, mec=edge, mew=1.2)
            texts = [f"{g} {number(one.groups[g].value)}" for g in ("normal", "pneumonia") if g in one.groups]
            canvas.text(TEXTS, row, ", ".join(texts))
    return canvas.svg


def _of_all(row: Covered) -> float:
    return row.groups["all"].value
