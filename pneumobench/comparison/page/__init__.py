"""A page of evidence as a value: sections of lines, tables and code, written as Markdown, as HTML or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NOT_TRACKED = "not tracked"


@dataclass(frozen=True)
class Link:
    """A text that leads to another page, by an address relative to this one."""

    text: str
    to: str


Cell = str | Link


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings, "" for none; each row has as many cells as there are headings.

    `widths` of all columns but the last (CSS lengths) set several tables of a page alike.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[str] = ()


@dataclass(frozen=True)
class Lines:
    """Sentences, one under the other."""

    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Commands, one a line."""

    lines: Sequence[str]


Block = Table | Lines | Code


@dataclass(frozen=True)
class Section:
    """Blocks under a title."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A title, a line below it, what must be seen first, and the sections; `back` leads to the page above."""

    title: str
    lead: str
    sections: Sequence[Section]
    warnings: Sequence[str] = ()
    back: Link | None = None

    def __json__(self) -> dict[str, object]:
        return {"title": self.title, "lead": self.lead, "warnings": self.warnings, "sections": self.sections}


def facts(rows: Sequence[tuple[str, Cell | None]]) -> Table:
    """A table of names and values; a value that is None or "" is not tracked."""
    return Table(("", ""), [(name, value or NOT_TRACKED) for name, value in rows])
