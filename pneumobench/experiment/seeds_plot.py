"""The plot of one figure of several trainings: a dot and an interval for each."""

from __future__ import annotations

from collections.abc import Mapping

from pneumobench.evaluation.estimates import Estimate
from pneumobench.utils.drawing import MARK, Drawing, rows


def draw(estimates: Mapping[str, Estimate], title: str) -> Drawing:
    """A row for each estimate, by name, the first on top."""
    figure, axes = rows(list(estimates), f"{title}, with 95 % intervals")
    for row, one in enumerate(estimates.values()):
        axes.plot([one.low, one.high], [row, row], color=MARK, lw=1.6, solid_capstyle="butt")
        axes.plot(one.value, row, "o", ms=6, color=MARK)
    return figure
