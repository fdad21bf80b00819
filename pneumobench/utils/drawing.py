"""matplotlib without a screen: figures that take a notebook's colours, and drawing that leaves the user's backend."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from xml.sax.saxutils import quoteattr

import matplotlib
from matplotlib.figure import Figure

from pneumobench.utils import pages

INK, SOFT, LINE, MARK, PUBLISHED, PAGE = "#1c1e21", "#5c6370", "#d8dce2", "#2a6f97", "#b3402e", "#ffffff"
VARIABLES = {INK: "ink", SOFT: "soft", LINE: "line", MARK: "mark", PUBLISHED: "bad", PAGE: "page"}  # of a page's CSS
ROW, REST = 0.3, 0.75  # inches of a row, and of the axis with its title
BLACK = "#000000"  # what matplotlib draws axes in


class Drawing(Figure):
    """A figure that belongs to no window; in a notebook it is an SVG in the page's colours, light or dark."""

    def _repr_html_(self) -> str:
        with matplotlib.rc_context({"svg.fonttype": "none"}):
            svg = of_figure(self, str(self.get_label() or "figure"), bbox_inches="tight")
        return pages.framed(themed(svg.replace(BLACK, INK)))


def rows(names: Sequence[str], title: str) -> tuple[Drawing, Any]:
    """A drawing with its axes: a row a name from the top, at 0, 1, …, and an axis named by the title below them."""
    figure = Drawing(figsize=(6.8, REST + ROW * max(1, len(names))), label=title, layout="constrained")
    axes = figure.subplots()
    axes.set(ylim=(max(1, len(names)) - 0.4, -0.6), yticks=range(len(names)), facecolor="none")
    axes.set_yticklabels(list(names), color=INK)
    axes.set_xlabel(title, color=SOFT)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    axes.tick_params(axis="both", length=0, colors=INK)
    return figure, axes


def of_figure(figure: Figure, label: str, **options: Any) -> str:
    """The `<svg>` element, with a label for screen readers; options go to `savefig`."""
    picture = io.StringIO()
    figure.savefig(picture, format="svg", metadata={"Date": None}, **options)
    return f'<svg role="img" aria-label={quoteattr(label)}{picture.getvalue().partition("<svg")[2]}'


def themed(svg: str) -> str:
    """The same with the page's variables for the colours above, which stay where a page does not set them."""
    for colour, name in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name}, {colour})")
    return svg


@contextmanager
def off_screen() -> Iterator[None]:
    """Draw into files for the length of a block; then the backend is the user's again, such as a notebook's."""
    before = matplotlib.rcParams._get_backend_or_none()  # type: ignore[attr-defined]
    matplotlib.use("Agg")
    try:
        yield
    finally:
        if before is not None:
            matplotlib.use(before)
