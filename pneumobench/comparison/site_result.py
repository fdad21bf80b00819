"""What judging frozen models on another site's images gave: each plugin's figures there beside those at home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.labels import WITHIN, label
from pneumobench.evaluation.words import figure, number, signed
from pneumobench.utils.shown import Shown
from pneumobench.utils.tables import Cell, Part, stacked, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SiteStanding:
    """A plugin's figures at home (None where its test images stayed closed) and at the site."""

    name: str
    run_ids: tuple[str, ...]
    thresholds: tuple[float, ...]
    home: dict[str, Estimate] | None
    away: dict[str, Estimate]

    def at_the_threshold(self) -> str:
        """What the frozen threshold does here, and how far the probabilities hold."""
        at = (f"{label(name)} {figure(self.away[name])}" for name in ("sensitivity", "specificity"))
        large, slope = (self.away[f"calibration_{name}"] for name in ("in_the_large", "slope"))
        return f"{self.name}: {', '.join(at)}; calibration in the large {signed(large)}, slope {signed(slope)}."

    def __json__(self) -> dict[str, Any]:
        return vars(self)


@dataclass(frozen=True, repr=False)
class SiteResult(Shown):
    """One site: its images, how often they had been looked at before, and the standing of each plugin, the best first.

    `alone` is, by a column of two values, the first value and the AUROC of it as the sign of pneumonia.
    """

    site: str
    dataset: str
    fingerprint: str
    home: str
    counts: dict[str, int]
    patients: int
    within: str
    alone: tuple[str, float] | None
    looks: int
    standings: tuple[SiteStanding, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def images(self) -> int:
        """How many images were judged."""
        return sum(self.counts.values())

    @property
    def title(self) -> str:
        """What was judged, in a line."""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        return f"Frozen models of {self.home} on {self.images:,} images of {self.site} ({counts})"

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [
            "In brackets 95 % intervals over patients (and trainings, where there are several). Nothing was trained or "
            "tuned: thresholds are those that validation chose at home.",
            "Calibration in the large is 0, and the slope 1, where probabilities hold here; both are diagnoses.",
        ]
        lines += [one.at_the_threshold() for one in self.standings]
        if self.within:
            lines.append(
                f"Within {self.within}: inside each of its values, weighted by their pairs of an ill and a well image."
            )
        if self.alone:
            sign, area = self.alone
            lines.append(f"{self.within} alone, with {sign} as the sign of pneumonia, scores AUROC {number(area)}.")
        lines.append(f"Looks at these images before this one: {self.looks} (`pneumobench ledger`).")
        if self.dataset == "phantom":
            lines.append("These images are synthetic: nothing here is about patients.")
        return lines + [f"{note}." for note in self.notes]

    def headline(self) -> str:
        """What was judged, in a line."""
        return self.title

    def parts(self) -> list[Part]:
        """The standings as a table, and what a reader has to know beside it."""
        within = [(f"within\n{self.within}", f"{WITHIN}{self.within}")] if self.within else []
        metrics = [("AUROC", "auroc"), *within]
        rows: list[list[Cell]] = []
        for one in self.standings:
            seeds = f"{len(one.run_ids)} seed{'s' if len(one.run_ids) > 1 else ''}"
            cells = [figure(one.away[name]).replace(" [", "\n[") for _, name in metrics]
            home = figure(one.home["auroc"]).replace(" [", "\n[") if one.home else "-"
            rows.append([stacked(one.name, seeds), home, *cells])
        headings = ["plugin", "AUROC\nat home", *(heading for heading, _ in metrics)]
        grid = table(headings, rows, title=self.title, styles={"plugin": "bold"}, whole=headings[1:])
        return [grid, *self.remarks()]

    def records(self) -> Iterator[dict[str, Any]]:
        """Each plugin's metrics at home and at the site, with their intervals."""
        for one in self.standings:
            for place, figures in (("home", one.home or {}), (self.site, one.away)):
                for name, own in figures.items():
                    interval = {"value": own.value, "low": own.low, "high": own.high}
                    yield {"plugin": one.name, "site": place, "metric": name, **interval}

    def plot(self) -> Figure:
        """Each plugin's AUROC at home (open) and at the site, with 95 % intervals."""
        from pneumobench.utils.drawing import MARK, PAGE, SOFT, rows

        drawing, axes = rows([one.name for one in self.standings], f"AUROC at home (open) and at {self.site}")
        for row, one in enumerate(self.standings):
            for up, own, colour, face in ((0.12, one.home, SOFT, PAGE), (-0.12, one.away, MARK, MARK)):
                if own:
                    auroc = own["auroc"]
                    axes.plot([auroc.low, auroc.high], [row - up, row - up], color=colour, lw=1.6)
                    axes.plot(auroc.value, row - up, "o", ms=6, mec=colour, mfc=face, mew=1.5)
        return drawing

    def __json__(self) -> dict[str, Any]:
        return {("plugins" if name == "standings" else name): value for name, value in vars(self).items()}


class Sites(Shown, list[SiteResult]):
    """The result of each site, in the order in which they were judged."""

    def headline(self) -> str:
        """What was judged at each, in a line."""
        return "; ".join(one.title for one in self)

    def parts(self) -> list[Part]:
        """Those of one site after the other."""
        return [part for one in self for part in one.parts()]

    def records(self) -> Iterator[dict[str, Any]]:
        """Those of all sites; what is at home is repeated with each."""
        for one in self:
            yield from one.records()

    def plot(self, site: str = "") -> Figure:
        """The plot of a site, by default of the first."""
        return next(one for one in self if site in ("", one.site)).plot()

    def __json__(self) -> dict[str, Any]:
        return {"sites": list(self)}


def order(standing: SiteStanding, within: str) -> float:
    """What standings are sorted by: the AUROC within the column, or the AUROC."""
    return -standing.away[f"{WITHIN}{within}" if within else "auroc"].value
