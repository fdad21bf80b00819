"""What commands print: every table, line and JSON object, on standard output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console

from pneumobench.utils.jsonable import to_json
from pneumobench.utils.tables import Cell, Grid, as_text, stacked, styled, table

if TYPE_CHECKING:
    from pneumobench.utils.shown import Shown

__all__ = ["Cell", "Grid", "markdown", "print_json", "show", "show_value", "stacked", "styled", "table"]


def show(*parts: Grid | Cell) -> None:
    """Print tables, and lines that are not wrapped."""
    console = Console(highlight=False)
    for part in parts:
        if isinstance(part, Grid):
            console.print(part)
        else:
            console.print(as_text(part), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON object, dataclasses among it; what JSON does not know as its `str`."""
    print(json.dumps(to_json(value), indent=2, default=str))


def show_value(value: Shown, *, as_json: bool) -> None:
    """Print what a verb returned: its tables and sentences, or one JSON object."""
    if as_json:
        print_json(value)
    else:
        show(*value.parts())


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table for a Markdown file."""
    return [f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings), *rows)]
