"""A page as one HTML file that needs no network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pneumobench.comparison.page import NOT_TRACKED, Block, Code, Lines, Link, Page, Table

SENTENCE = 48  # characters; longer cells are wrapped
CODE = re.compile(r"`([^`]+)`")
MANY = 3  # columns from which on a phone shows each row as lines


def render(page: Page, soft: tuple[str, ...] = ()) -> str:
    """The page's text; cells that say what is not tracked, or begin with one of `soft`, stand back."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["link"] = lambda cell: isinstance(cell, Link)
    environment.filters |= {"kind": _kind, "style": _style, "coded": _coded}

    def is_soft(cell: Any) -> bool:
        return isinstance(cell, str) and cell.startswith((NOT_TRACKED, *soft))

    return environment.get_template("page.html.j2").render(page=page, is_soft=is_soft)


def _coded(text: str) -> Any:
    """A text with what stands between grave accents as code, all else escaped."""
    import markupsafe

    return markupsafe.Markup(CODE.sub(r"<code>\1</code>", str(markupsafe.escape(text))))


def _kind(block: Block) -> str:
    return "lines" if isinstance(block, Lines) else "code" if isinstance(block, Code) else "table"


def _style(table: Table) -> str:
    """How a table is set: names beside values, rows that are never wrapped, or columns of sentences."""
    if not any(table.headings):
        return "facts"
    if table.widths:
        return "long alike"
    longest = max((len(str(getattr(cell, "text", cell))) for row in table.rows for cell in row), default=0)
    if longest > SENTENCE:
        return "long"
    return "short many" if len(table.headings) >= MANY else "short"
