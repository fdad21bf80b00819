"""What stress gave: each plugin's figures by kind of alteration, what is left without lungs, and paired differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pneumobench.comparison.stress_figures import FLOORS, without_lungs
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.words import difference, figure, number, p_value
from pneumobench.utils.shown import Shown
from pneumobench.utils.tables import Cell, Part, stacked, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class StressPair:
    """A plugin's mean AUROC over all corruptions less the reference's, with an interval for all pairs together."""

    plugin: str
    reference: str
    difference: float
    low: float
    high: float
    p_corrected: float
    of_plugins: bool

    @property
    def sentence(self) -> str:
        """What may be said, in words."""
        who, other = self.plugin, self.reference
        if not self.of_plugins:
            who, other = f"the trained models of {who}", f"those of {other}"
        interval = f"{difference(self.difference, self.low, self.high)}, corrected p {p_value(self.p_corrected)}"
        if not self.p_corrected < 0.05:
            return f"On altered images no difference between {who} and {other} in mean AUROC was detected: {interval}."
        word = "better" if self.difference > 0 else "worse"
        return f"On altered images {who} {'is' if self.of_plugins else 'are'} {word} than {other}: {interval}."

    def __json__(self) -> dict[str, Any]:
        return vars(self) | {"sentence": self.sentence}


@dataclass(frozen=True)
class StressStanding:
    """A plugin's AUROC and accuracy at its threshold by kind (mean of three severities) and each control's AUROC.

    `clean` is the AUROC of the same images unaltered, by the same way through 256 pixels; `mean` over all corruptions.
    """

    name: str
    run_ids: tuple[str, ...]
    clean: Estimate
    mean: Estimate
    auroc: dict[str, float]
    accuracy: dict[str, float]
    by_severity: dict[str, float]
    controls: dict[str, Estimate]

    def __json__(self) -> dict[str, Any]:
        return vars(self)


@dataclass(frozen=True, repr=False)
class StressResult(Shown):
    """The standings, the best mean first, on the altered images of one site (`test`: the test images at home).

    `floors` is, by control, the AUROC that the mean grey value of its images scores, in the better direction.
    """

    site: str
    dataset: str
    images: int
    looks: int
    seed: int
    standings: tuple[StressStanding, ...]
    pairs: tuple[StressPair, ...]
    floors: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [pair.sentence for pair in self.pairs]
        told = [line for one in self.standings for line in without_lungs(one.name, one.controls, self.floors)]
        lines += [f"{line}." for line in told]
        lines += [f"{FLOORS}."] if told and self.floors else []
        lines.append(
            "AUROC by kind, the mean of three severities; every model sees the same altered pixels. Nothing was "
            "trained or chosen by these figures."
        )
        lines.append(f"Looks at these images before this one: {self.looks} (`pneumobench ledger`).")
        if self.dataset == "phantom":
            lines.append("These images are synthetic: nothing here is about patients.")
        return lines + [f"{note}." for note in self.notes]

    @property
    def title(self) -> str:
        """What was tried, in a line."""
        where = "test images" if self.site == "test" else f"images of {self.site}"
        return f"AUROC (accuracy at the threshold) on {self.images} altered {where} of {self.dataset}"

    def headline(self) -> str:
        """How many images were altered, and each plugin's mean AUROC."""
        means = ", ".join(f"{one.name} {figure(one.mean)}" for one in self.standings)
        return f"mean AUROC on {self.images} altered images of {self.dataset}: {means}"

    def parts(self) -> list[Part]:
        """A row for each alteration, a column for each plugin, and what a reader has to know beside them."""
        plugins = [one.name for one in self.standings]
        rows: list[list[Cell] | None] = [
            ["as they are", *(figure(one.clean).replace(" [", "\n[") for one in self.standings)],
            ["mean of all", *(figure(one.mean).replace(" [", "\n[") for one in self.standings)],
            None,
        ]
        for kind in self.standings[0].auroc:
            rows.append(
                [kind, *(f"{number(one.auroc[kind])}  ({number(one.accuracy[kind])})" for one in self.standings)]
            )
        rows.append(None)
        for control in self.standings[0].controls:
            floor = f"mean grey alone {number(self.floors[control])}" if control in self.floors else ""
            figures = [figure(one.controls[control]).replace(" [", "\n[") for one in self.standings]
            rows.append([stacked(control, floor), *figures])
        return [table(["alteration", *plugins], rows, title=self.title, whole=plugins), *self.remarks()]

    def records(self) -> Iterator[dict[str, Any]]:
        """AUROC of each plugin by alteration and severity, and on the controls."""
        for one in self.standings:
            yield {"plugin": one.name, "alteration": "as they are", "auroc": one.clean.value}
            yield {"plugin": one.name, "alteration": "mean of all", "auroc": one.mean.value}
            for name, value in one.by_severity.items():
                yield {"plugin": one.name, "alteration": name, "auroc": value}
            for name, estimate in one.controls.items():
                yield {"plugin": one.name, "alteration": name, "auroc": estimate.value}

    def plot(self) -> Figure:
        """AUROC by kind of alteration and on the controls, a colour for each plugin."""
        from pneumobench.utils.drawing import LINE, rows

        kinds = ["as they are", *self.standings[0].auroc, *self.standings[0].controls]
        drawing, axes = rows(kinds, f"AUROC on {self.images} altered images of {self.dataset}")
        drawing.set_figwidth(7.5)
        for one in self.standings:
            controls = [estimate.value for estimate in one.controls.values()]
            axes.plot([one.clean.value, *one.auroc.values(), *controls], range(len(kinds)), "o", ms=5, label=one.name)
        axes.axvline(0.5, color=LINE, lw=1, zorder=0)
        axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        return drawing

    def __json__(self) -> dict[str, Any]:
        return {("plugins" if name == "standings" else name): value for name, value in vars(self).items()}
