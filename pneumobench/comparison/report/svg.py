"""A matplotlib figure as an SVG element, which in the report takes the page's colours, dark or light."""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import quoteattr

INK, SOFT, LINE, MARK, PUBLISHED, PAGE = "#1c1e21", "#5c6370", "#d8dce2", "#2a6f97", "#b3402e", "#ffffff"
VARIABLES = {INK: "ink", SOFT: "soft", LINE: "line", MARK: "mark", PUBLISHED: "bad", PAGE: "page"}  # of the page's CSS
LONGEST = 26  # characters of a name


def of_figure(figure: Any, label: str, **options: Any) -> str:
    """The `<svg>` element, with a label for screen readers; options go to `savefig`."""
    picture = io.StringIO()
    figure.savefig(picture, format="svg", metadata={"Date": None}, **options)
    return f'<svg role="img" aria-label={quoteattr(label)}{picture.getvalue().partition("<svg")[2]}'


def themed(svg: str) -> str:
    """The same with the page's variables for the colours above, which stay where a page does not set them."""
    for colour, name in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name}, {colour})")
    return svg


def cut(name: str) -> str:
    """A name that fits beside a drawing."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
