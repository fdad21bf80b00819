"""What `compare --site` prints of a site: the answers, the figures at home and there, and both differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pneumobench.utils.bar import WIDTH, bar
from pneumobench.utils.tables import Cell, Grid, Part, stacked, styled, table

if TYPE_CHECKING:
    from pneumobench.comparison.elsewhere import Elsewhere


def parts(one: Elsewhere, metric: str) -> list[Part]:
    """Its sentences and tables, in their order."""
    lines = [f"- {contrast.sentence}" for contrast in one.contrasts]
    return [*lines, _figures(one, metric), _forest(one)]


def _figures(one: Elsewhere, metric: str) -> Grid:
    from pneumobench.evaluation.labels import label
    from pneumobench.evaluation.words import figure

    headings = ["plugin", f"{label(metric)}\nat home", f"{label(one.metric)}\nat {one.site}"]
    rows = [
        [name, *(figure(value).replace(" [", "\n[") for value in values)]
        for name, values in sorted(one.figures.items(), key=lambda item: -item[1][1].value)
    ]
    return table(headings, rows, styles={"plugin": "bold"}, whole=headings[1:])


def _forest(one: Elsewhere) -> Grid:
    """Each pair's difference at home and, on the same axis, there."""
    from pneumobench.evaluation.words import difference

    both = [pair for contrast in one.contrasts for pair in (contrast.home, contrast.away)]
    low, high = min(0.0, *(pair.low for pair in both)), max(0.0, *(pair.high for pair in both))
    name = f"less {one.contrasts[0].reference}"
    axis = f"{low:+.3f}{f'{high:+.3f}':>{WIDTH - 6}}"
    rows: list[list[Cell] | None] = []
    for contrast in one.contrasts:
        for place, pair in (("at home", contrast.home), (f"at {one.site}", contrast.away)):
            first = stacked(contrast.plugin, place) if place == "at home" else styled((place, "dim"))
            figures = difference(pair.difference, pair.low, pair.high).replace(" [", "\n[")
            answer = contrast.answer if place != "at home" else ""
            rows.append([first, bar(pair.low, pair.difference, pair.high, low, high), figures, answer])
        rows.append(None)
    headings = [name, axis, "difference", "there"]
    return table(headings, rows[:-1], whole=headings[1:], drawn=(axis,))
