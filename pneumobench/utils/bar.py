"""An interval drawn in characters, for tables of differences."""

from __future__ import annotations

WIDTH = 21  # characters of the forest plot


def bar(low: float, value: float, high: float, least: float, most: float, width: int = WIDTH) -> str:
    """An interval with its value on an axis from least to most, 0 marked where the interval leaves it free."""
    span = (most - least) or 1.0

    def place(x: float) -> int:
        return min(width - 1, max(0, round((x - least) / span * (width - 1))))

    marks = [" "] * width
    marks[place(0.0)] = "│"
    for i in range(place(low), place(high) + 1):
        marks[i] = "┼" if i == place(0.0) else "─"
    marks[place(value)] = "●"
    return "".join(marks).rstrip()
