"""A comparison as people look at it: sentences first, then a ranked table and a forest plot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pneumobench.comparison import group_tables, site_tables
from pneumobench.comparison.comparison import Comparison
from pneumobench.errors import UsageError
from pneumobench.evaluation.labels import label
from pneumobench.evaluation.words import difference, figure, p_value, seconds
from pneumobench.utils.bar import WIDTH, bar
from pneumobench.utils.shown import Shown
from pneumobench.utils.tables import Cell, Grid, Part, stacked, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS = ("forest", "seeds", "roc", "precision_recall", "reliability")


@dataclass(frozen=True, repr=False)
class Answer(Shown, Comparison):
    """A comparison with its sentences, tables, data frame and plots."""

    def headline(self) -> str:
        """How many plugins were compared with which, and the verdicts."""
        verdicts = [pair.verdict for pair in self.pairs]
        counts = ", ".join(f"{verdicts.count(one)} {one}" for one in dict.fromkeys(verdicts))
        return f"{label(self.metric)} of {len(self.standings)} plugins on {self.dataset}, {self.family}: {counts}"

    def parts(self) -> list[Part]:
        """What may be said of each pair, the standings, the differences, sites and groups, and cautions."""
        parts: list[Part] = [*self.sentences(), self._ranked(), self._forest()]
        for site in self.sites:
            parts += site_tables.parts(site, self.metric)
        for group in self.groups:
            parts += group_tables.parts(group)
        return [*parts, f"{self.subject}.", *self.remarks()]

    def sentences(self) -> list[str]:
        """What may be said of each pair, the largest difference first."""
        return [f"- {pair.sentence}" for pair in self.pairs]

    def records(self) -> Iterator[dict[str, Any]]:
        """Each plugin's figure, and where it was compared with the reference the difference and its verdict."""
        less = {} if self.all_pairs else {pair.plugin: pair for pair in self.pairs}
        for one in self.standings:
            own, pair = one.test[self.metric], less.get(one.name)
            record = {"plugin": one.name, "seeds": one.seeds, self.metric: own.value, "low": own.low, "high": own.high}
            record |= {"difference": None, "difference_low": None, "difference_high": None, "p": None, "verdict": ""}
            if pair is not None:
                record |= {"difference": pair.difference, "difference_low": pair.low, "difference_high": pair.high}
                record |= {"p": pair.p_corrected, "verdict": pair.verdict}
            yield record

    def plot(self, kind: str = "forest") -> Figure:
        """A figure: forest (the differences), seeds, roc, precision_recall or reliability. Raises: UsageError."""
        from pneumobench.comparison.report import curves, drawings

        if kind not in PLOTS:
            raise UsageError(f"a comparison has the plots {', '.join(PLOTS)}, not '{kind}'")
        if kind == "forest":
            return drawings.forest_of(self).figure
        models = {one.name: one.experiment.predictions("test") for one in self.standings}
        if kind == "seeds":
            return drawings.seeds_of(self, models).figure
        return curves.figures(models, self.reference)[kind][1]

    def _ranked(self) -> Grid:
        metrics = list(dict.fromkeys((self.metric, "auroc", "accuracy_at_0.5", "accuracy")))[:3]
        columns = [label(metric).replace(" at ", "\nat ") for metric in metrics]
        rows: list[list[Cell]] = []
        for one in self.standings:
            note = f"{one.seeds} seed{'s' if one.seeds > 1 else ''}"
            note += ", imported" if one.experiment.is_imported else ""
            note += f", {one.trials_spent} trials" if one.trials_spent else ""
            figures = [figure(one.test[metric]).replace(" [", "\n[") for metric in metrics]
            rank = self.rank(one.name)
            ranks = [f"{rank[0]} to {rank[1]}" if rank[0] < rank[1] else str(rank[0])] if rank else []
            cost = [seconds(one.experiment.seconds), str(one.looks)]
            rows.append([stacked(one.name, note), *ranks, *figures, *cost])
        headings = ("plugin", *(["rank"] if self.all_pairs else []), *columns, "s", "looks")
        return table(headings, rows, styles={"plugin": "bold"}, right=("s", "looks"), whole=columns)

    def _forest(self) -> Grid:
        """Each pair's difference and interval on one axis, with 0 marked."""
        low = min(0.0, *(pair.low for pair in self.pairs))
        high = max(0.0, *(pair.high for pair in self.pairs))
        name = "difference of" if self.all_pairs else f"less {self.reference}"
        axis = f"{low:+.3f}{f'{high:+.3f}':>{WIDTH - 6}}"
        headings = [name, axis, "difference", "p"]
        rows = [
            [
                f"{pair.plugin}\nless {pair.reference}" if self.all_pairs else pair.plugin,
                bar(pair.low, pair.difference, pair.high, low, high),
                difference(pair.difference, pair.low, pair.high).replace(" [", "\n["),
                p_value(pair.p_corrected),
            ]
            for pair in self.pairs
        ]
        if self.independent:
            test, values = self.independent
            headings.append(test)
            rows = [[*row, p_value(value)] for row, value in zip(rows, values, strict=True)]
        return table(headings, rows, styles={name: "bold"}, whole=headings[1:], drawn=(axis,))
