"""Where each mark of the report's two drawings stands: the forest of differences, and every seed's accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pneumobench.comparison.compare import Comparison
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import difference, p_value

WIDTH, LEFT, RIGHT, FIGURES, TOP, STEP, FOOT = 760, 190, 540, 560, 18, 26, 24  # pixels


def forest(found: Comparison) -> dict[str, Any]:
    """Each pair's difference with its interval, on an axis that shows 0; open where no difference was detected."""
    place, ticks = _axis(min(0.0, *(p.low for p in found.pairs)), max(0.0, *(p.high for p in found.pairs)))
    rows = [
        {
            "name": cut(pair.plugin),
            "low": place(pair.low),
            "value": place(pair.difference),
            "high": place(pair.high),
            "open": pair.verdict not in ("better", "worse"),
            "text": f"{difference(pair.difference, pair.low, pair.high)}, p {p_value(pair.p_corrected)}",
        }
        for pair in found.pairs
    ]
    return _drawing(rows, ticks) | {"zero": place(0.0), "figures": FIGURES}


def seeds(found: Comparison, models: Mapping[str, Sequence[Predictions]]) -> dict[str, Any]:
    """Each model's accuracy at 0.5 as a dot, and the published figure where it belongs to these images."""
    accuracies = {
        name: [float(((m.probability >= 0.5) == (m.label == 1)).mean()) for m in own] for name, own in models.items()
    }
    every = [x for own in accuracies.values() for x in own] + ([found.published.value] if found.published else [])
    place, ticks = _axis(min(every), max(every))
    rows = [{"name": cut(name), "dots": [place(x) for x in own]} for name, own in accuracies.items()]
    return _drawing(rows, ticks) | {"published": place(found.published.value) if found.published else None}


def cut(name: str) -> str:
    """A name that fits beside a drawing."""
    return name if len(name) <= 26 else f"{name[:25]}…"


def _axis(low: float, high: float) -> tuple[Callable[[float], float], list[dict[str, Any]]]:
    """Where a value is drawn, and ticks at round values."""
    from matplotlib.ticker import MaxNLocator

    marks = [float(x) for x in MaxNLocator(5).tick_values(low, high)]
    low, high = min(low, marks[0]), max(high, marks[-1])

    def place(x: float) -> float:
        return round(LEFT + (x - low) / ((high - low) or 1) * (RIGHT - LEFT), 1)

    return place, [{"x": place(x), "text": f"{x:.2f}".replace("-0.00", "0.00")} for x in marks]


def _drawing(rows: list[dict[str, Any]], ticks: list[dict[str, Any]]) -> dict[str, Any]:
    placed = [{"y": TOP + i * STEP, **row} for i, row in enumerate(rows)]
    height = TOP + len(rows) * STEP + FOOT
    return {"rows": placed, "ticks": ticks, "width": WIDTH, "height": height, "left": LEFT, "right": RIGHT}
