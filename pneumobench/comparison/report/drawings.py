"""The report's drawings: the forest of differences, at home and at other sites, and every seed's accuracy, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pneumobench.comparison.comparison import Comparison
from pneumobench.comparison.elsewhere import Elsewhere
from pneumobench.comparison.report.svg import INK, LINE, MARK, PAGE, PUBLISHED, SOFT, cut, of_figure
from pneumobench.evaluation.labels import label
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import difference, p_value
from pneumobench.utils.drawing import Drawing

WIDTH, LEFT, RIGHT = 7.9, 0.25, 0.98  # inches, and the ends of an axis as shares of them
TEXTS = 0.7  # where texts stand to the right of an axis, likewise
ROW, HEAD, FOOT = 0.27, 0.36, 0.46  # inches


@dataclass
class Canvas:
    """A figure with its axes, one row a name from the top, and the SVG that it becomes."""

    figure: Any
    axes: Any
    svg: str = ""

    def text(self, x: float, row: int, text: str) -> None:
        """A text at a share of the width, beside a row."""
        from matplotlib.transforms import blended_transform_factory

        place = blended_transform_factory(self.figure.transFigure, self.axes.transData)
        self.axes.text(x, row, text, transform=place, va="center_baseline", color=INK, clip_on=False)


def forest(comparison: Comparison) -> str:
    """The SVG of `forest_of`."""
    return forest_of(comparison).svg


def forest_of(comparison: Comparison) -> Canvas:
    """Each pair's difference with its interval, on an axis that shows 0; open where no difference was detected."""
    metric, pairs = label(comparison.metric), comparison.pairs
    with rows(
        [pair.plugin for pair in pairs], f"difference in {metric} from {comparison.reference}", TEXTS - 0.025
    ) as canvas:
        axes = canvas.axes
        axes.axvline(0, color=SOFT, lw=0.8, ls=(0, (3, 3)), zorder=0)
        for row, pair in enumerate(pairs):
            face = MARK if pair.verdict in ("better", "worse") else PAGE
            axes.plot([pair.low, pair.high], [row, row], color=MARK, lw=1.6, solid_capstyle="butt")
            axes.plot(pair.difference, row, "o", ms=6.5, mfc=face, mec=MARK, mew=1.5)
            interval = difference(pair.difference, pair.low, pair.high)
            canvas.text(TEXTS, row, f"{interval}, p {p_value(pair.p_corrected)}")
    return canvas


def at_sites(comparison: Comparison, site: Elsewhere) -> str:
    """Each pair's difference at home (a line above) and at a site (below it), and the answer beside the two."""
    title = f"difference in {label(comparison.metric)} from {comparison.reference}: at home, and at {site.site}"
    names = [name for contrast in site.contrasts for name in (contrast.plugin, f"there: {contrast.answer}")]
    with rows(names, title, TEXTS - 0.025) as canvas:
        canvas.axes.axvline(0, color=SOFT, lw=0.8, ls=(0, (3, 3)), zorder=0)
        for number, contrast in enumerate(site.contrasts):
            for below, (pair, colour) in enumerate(((contrast.home, MARK), (contrast.away, PUBLISHED))):
                row = 2 * number + below
                face = colour if pair.verdict in ("better", "worse") else PAGE
                canvas.axes.plot([pair.low, pair.high], [row, row], color=colour, lw=1.6, solid_capstyle="butt")
                canvas.axes.plot(pair.difference, row, "D" if below else "o", ms=5.5, mfc=face, mec=colour, mew=1.5)
                canvas.text(TEXTS, row, difference(pair.difference, pair.low, pair.high))
    return canvas.svg


def seeds(comparison: Comparison, models: Mapping[str, Sequence[Predictions]]) -> str:
    """The SVG of `seeds_of`."""
    return seeds_of(comparison, models).svg


def seeds_of(comparison: Comparison, models: Mapping[str, Sequence[Predictions]]) -> Canvas:
    """Each model's accuracy at 0.5 as a dot, and the published figure where it belongs to these images."""
    with rows(list(models), "accuracy at 0.5 on the test images, a dot for each seed") as canvas:
        axes = canvas.axes
        for row, trained in enumerate(models.values()):
            accuracies = [float(((one.probability >= 0.5) == (one.label == 1)).mean()) for one in trained]
            axes.plot(accuracies, [row] * len(accuracies), "o", ms=6.5, mfc=MARK, mec="none", alpha=0.75)
        if comparison.published:
            value = comparison.published.value
            axes.axvline(value, color=PUBLISHED, lw=1, ls=(0, (4, 3)), zorder=0)
            axes.text(value, -0.75, f"published {100 * value:.2f} %", ha="center", va="bottom", color=PUBLISHED)
    return canvas


@contextmanager
def rows(names: Sequence[str], title: str, right: float = RIGHT) -> Iterator[Canvas]:
    """A canvas with a row for each name; its axis is named by the title, and ticks are at round values."""
    import matplotlib
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    height = HEAD + ROW * len(names) + FOOT
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "text.parse_math": False, "font.size": 9, "axes.unicode_minus": False}
    ):
        figure = Drawing(figsize=(WIDTH, height), label=title)
        axes = figure.add_axes((LEFT, FOOT / height, right - LEFT, 1 - (FOOT + HEAD / 2) / height))
        axes.set(ylim=(len(names) - 0.4, -0.7), yticks=[], facecolor="none")
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.spines["bottom"].set_color(LINE)
        canvas = Canvas(figure, axes)
        for row, name in enumerate(names):
            canvas.text(0, row, cut(name))
        yield canvas
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
        axes.tick_params(axis="x", length=0, colors=INK)
        axes.set_xlabel(title, color=SOFT)
        canvas.svg = of_figure(figure, title)
