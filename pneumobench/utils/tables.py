"""Tables and lines as values, which a terminal or a page draws."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

Cell = str | Text  # a str is plain text, never markup
LEAST = 12  # characters of a column that may be wrapped, unless its content is shorter
GAP = 3  # characters between two columns


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell] | None],
    *,
    title: str = "",
    caption: str = "",
    styles: Mapping[str, str] | None = None,
    right: Collection[str] = (),
    whole: Collection[str] = (),
    drawn: Collection[str] = (),
) -> Grid:
    """A table; None among the rows begins a new section.

    `styles` are of columns, by heading; columns in `right` are aligned to the right, those in `whole` never wrapped,
    those in `drawn` hold pictures of characters.
    """
    texts = [None if row is None else [as_text(cell) for cell in row] for row in rows]
    return Grid(list(headings), texts, title, caption, dict(styles or {}), set(right), set(whole), set(drawn))


def styled(*parts: str | tuple[str, str]) -> Text:
    """A cell or line of parts, each plain or with its own style."""
    return Text.assemble(*parts)


def stacked(first: str, second: str) -> Text:
    """A cell of two lines, the second one dim."""
    return styled(first, "\n", (second, "not bold dim"))


@dataclass(frozen=True)
class Grid:
    """A table that fits its columns to the terminal; where they cannot fit, each row becomes a few lines."""

    headings: list[str]
    rows: list[list[Text] | None]
    title: str = ""
    caption: str = ""
    styles: dict[str, str] = field(default_factory=dict)
    right: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    drawn: set[str] = field(default_factory=set)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = self._widths(options.max_width)
        if widths is None:
            yield from self._records()
            return
        drawn = Table(
            title=as_text(self.title, "bold") if self.title else None,
            title_justify="left",
            caption=as_text(self.caption) if self.caption else None,
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        for heading, width in zip(self.headings, widths, strict=True):
            drawn.add_column(
                as_text(heading),
                style=self.styles.get(heading),
                justify="right" if heading in self.right else "left",
                overflow="fold",
                width=width,
            )
        for row in self.rows:
            if row is None:
                drawn.add_section()
            else:
                drawn.add_row(*row)
        yield drawn

    def _widths(self, room: int) -> list[int] | None:
        """A width for each column, what is spare to the narrowest first; None where the least ones do not fit."""
        natural, widths = [], []
        for heading, *cells in zip(self.headings, *(row for row in self.rows if row), strict=True):
            lines = [line for cell in (heading, *cells) for line in str(cell).split("\n")]
            words = [word for line in lines for word in line.split()]
            natural.append(max(map(cell_len, lines)))
            least = max([min(LEAST, max(map(cell_len, words), default=0)), *map(cell_len, heading.split())])
            widths.append(natural[-1] if heading in self.whole else least)
        spare = room - sum(widths) - GAP * len(widths) + 1
        if spare < 0:
            return None
        while spare and widths != natural:
            narrow = [i for i, (width, most) in enumerate(zip(widths, natural, strict=True)) if width < most]
            widths[min(narrow, key=widths.__getitem__)] += 1
            spare -= 1
        return widths

    def _records(self) -> Iterable[Text]:
        headings = [heading.replace("\n", " ") for heading in self.headings]
        if self.title:
            yield Text(self.title, "bold")
        for first, *others in filter(None, self.rows):
            yield Text(_one_line(first), "bold")
            for heading, cell in zip(headings[1:], others, strict=True):
                if _one_line(cell):
                    yield Text.assemble("  ", (f"{heading} ", "dim") if heading else "", _one_line(cell))
        if self.caption:
            yield Text(self.caption)


def as_text(cell: Cell, style: str = "") -> Text:
    """A cell as styled text; a str is plain text."""
    return cell if isinstance(cell, Text) else Text(cell, style)


Part = Grid | Cell


def _one_line(cell: Text) -> str:
    return "  ".join(cell.plain.split("\n"))
