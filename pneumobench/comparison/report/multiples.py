"""Small multiples: one small picture a plugin, all with the same axes, so that any number of plugins can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pneumobench.comparison.report.bands import Band
from pneumobench.comparison.report.svg import INK, LINE, MARK, SOFT, of_figure

SIDE, BELOW = 2.0, 0.2  # inches of a picture, and the share of it that the tick labels take
ALPHA = 0.22  # of a band


@dataclass(frozen=True)
class Panel:
    """A plugin's picture, and what is said of it above the picture."""

    plugin: str
    note: str
    svg: str


@dataclass(frozen=True)
class Multiples:
    """A section: its title, plain sentences of what is shown, how the pictures are read, and a picture a plugin."""

    title: str
    lines: tuple[str, ...]
    key: str
    panels: tuple[Panel, ...]


def draw(
    plugins: Mapping[str, tuple[str, Callable[[Any], None]]], what: str, x: np.ndarray, y: np.ndarray
) -> tuple[Panel, ...]:
    """A panel for each plugin, given as its note and what draws on its axes; x and y are all ticks, ends included.

    `what` is said of each picture to screen readers.
    """
    panels = []
    for name, (note, drawing) in plugins.items():
        with _axes(x, y) as (figure, axes):
            drawing(axes)
            axes.set(xlim=_limits(x), ylim=_limits(y))
            panels.append(Panel(name, note, of_figure(figure, f"{what} of {name}")))
    return tuple(panels)


def line(axes: Any, x: np.ndarray, band: Band) -> None:
    """A plugin's curve with its band."""
    axes.fill_between(x, band.low, band.high, color=MARK, alpha=ALPHA, lw=0)
    axes.plot(x, band.value, color=MARK, lw=1.4)


def beside(axes: Any, x: np.ndarray, y: np.ndarray, *, dashed: bool = False) -> None:
    """A thin line to compare with."""
    axes.plot(x, y, color=SOFT, lw=0.9, ls=(0, (3, 2)) if dashed else "-")


@contextmanager
def _axes(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[Any, Any]]:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "font.size": 8, "axes.unicode_minus": False}):
        figure = Figure(figsize=(SIDE, SIDE))
        axes = figure.add_axes((BELOW, BELOW / 1.4, 0.97 - BELOW, 0.97 - BELOW / 1.4))
        axes.set(xticks=x, yticks=y, facecolor="none", axisbelow=True)
        axes.set_xticklabels(_names(x))
        axes.set_yticklabels(_names(y))
        axes.grid(color=LINE, lw=0.5)
        axes.spines[["right", "top"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(LINE)
        axes.tick_params(length=0, colors=INK)
        figure.patch.set_visible(False)
        yield figure, axes


def _names(ticks: np.ndarray) -> list[str]:
    return [f"{tick:.2g}".replace("0.", ".") for tick in ticks]


def _limits(ticks: np.ndarray) -> tuple[float, float]:
    """From the first tick to the last, and a little more."""
    more = 0.02 * (ticks[-1] - ticks[0])
    return ticks[0] - more, ticks[-1] + more
