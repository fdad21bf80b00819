"""The plot of a study's best trials: a dot for each, the best on top."""

from __future__ import annotations

from pneumobench.search.summary import Summary
from pneumobench.utils.drawing import MARK, PAGE, Drawing, rows


def draw(summary: Summary) -> Drawing:
    """A row for each of the best trials; open where it cannot be distinguished from the best."""
    tied = "; open: not to be distinguished from the best" if summary.ties else ""
    names = [f"trial {one.number}, {one.plugin}" for one in summary.best]
    figure, axes = rows(names, f"{summary.metric} of the best trials of {summary.name}{tied}")
    for row, one in enumerate(summary.best):
        axes.plot(one.value, row, "o", ms=6.5, mec=MARK, mfc=PAGE if one.ties else MARK, mew=1.5)
    return figure
