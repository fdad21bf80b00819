"""A page as Markdown, as GitHub, MLflow and pandoc read it."""

from __future__ import annotations

import re

from pneumobench.comparison.page import Block, Cell, Code, Lines, Link, Page, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def render(page: Page) -> str:
    """The page's text; everything that is not its own mark-up is escaped."""
    parts = [f"# {escaped(page.title)}", escaped(page.lead)]
    parts += [f"**{escaped(warning)}**" for warning in page.warnings]
    for section in page.sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """A text on one line, in which no character is mark-up."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _block(block: Block) -> str:
    if isinstance(block, Lines):
        return "\n".join(f"- {escaped(item)}" for item in block.items)
    if isinstance(block, Code):
        return "\n".join(["```", *(line.replace("```", "'''") for line in block.lines), "```"])
    return _table(block)


def _table(table: Table) -> str:
    lines = [[escaped(heading) for heading in table.headings], ["---"] * len(table.headings)]
    lines += [[_cell(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(cell: Cell) -> str:
    if isinstance(cell, Link):
        return f"[{escaped(cell.text)}]({cell.to})"
    return escaped(cell)
