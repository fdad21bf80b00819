"""What the report's drawings share: colours that are the page's, dark or light, and names that fit beside them."""

from __future__ import annotations

from pneumobench.utils.drawing import INK, LINE, MARK, PAGE, PUBLISHED, SOFT, of_figure, themed

__all__ = ["INK", "LINE", "MARK", "PAGE", "PUBLISHED", "SOFT", "cut", "of_figure", "themed"]

LONGEST = 26  # characters of a name


def cut(name: str) -> str:
    """A name that fits beside a drawing."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
