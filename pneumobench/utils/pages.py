"""Tables, sentences and drawings as HTML inside somebody else's page, such as a notebook's.

Colours are the page's own (inherited, or shades of grey that any background carries), so that a dark notebook stays
dark whatever the system prefers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from itertools import pairwise

from rich.text import Text

from pneumobench.utils.tables import Grid, Part, as_text

CLASS = "pneumobench"
CODE = re.compile(r"`([^`]+)`")
OURS = f".{CLASS}.{CLASS}"  # twice, to be above what notebooks say of every table
STYLE = f"""<style>
{OURS} {{font-size: .93em; line-height: 1.45; max-width: 62em; color: inherit; overflow-x: auto}}
{OURS} p {{margin: .3em 0}}
{OURS} table {{border-collapse: collapse; margin: .6em 0; color: inherit; background: none; border: 0}}
{OURS} table caption {{caption-side: top; text-align: left; font-weight: 600; color: inherit; padding: 0 0 .4em}}
{OURS} table th, {OURS} table td {{text-align: left; vertical-align: top; padding: .18em 1.1em .18em 0; border: 0;
  white-space: pre-line; min-width: 0; background: none; color: inherit; font-variant-numeric: tabular-nums}}
{OURS} table thead th {{border-bottom: 1px solid rgba(128, 128, 128, .6); font-weight: 600; vertical-align: bottom}}
{OURS} table tbody tr {{background: none}}
{OURS} table tbody + tbody tr:first-child td {{border-top: 1px solid rgba(128, 128, 128, .3)}}
{OURS} table th.right, {OURS} table td.right {{text-align: right}}
{OURS} table th.drawn, {OURS} table td.drawn {{white-space: pre; font-family: monospace; line-height: 1.2}}
{OURS} .dim {{opacity: .65; font-weight: normal}}
{OURS} progress {{width: 16em; vertical-align: middle}}
{OURS} svg {{max-width: 100%; height: auto}}
{OURS} svg text:not([style*="fill"]) {{fill: currentColor}}
{OURS} {{--ink: currentColor; --soft: #858b96; --line: rgba(128, 128, 128, .5); --mark: #3987b7; --bad: #cc5a47;
  --page: var(--jp-layout-color0, var(--vscode-editor-background, transparent))}}
</style>"""


def html(parts: Iterable[Part]) -> str:
    """Tables and lines as one element."""
    return framed("\n".join(_grid(part) if isinstance(part, Grid) else _line(part) for part in parts))


def framed(content: str) -> str:
    """HTML with the styles that it takes, which reach nothing else of the page."""
    return f'<div class="{CLASS}">{STYLE}\n{content}\n</div>'


def _line(part: Text | str) -> str:
    """A line as a paragraph; one that a terminal shows as an item of a list, with a list's mark."""
    text = part.replace("- ", "• ", 1) if isinstance(part, str) and part.startswith("- ") else part
    coded = CODE.sub(r"<code>\1</code>", _cell(text))
    return f"<p>{coded}</p>"


def _grid(grid: Grid) -> str:
    kinds = [
        " ".join(["right"] * (heading in grid.right) + ["drawn"] * (heading in grid.drawn)) for heading in grid.headings
    ]
    styles = [grid.styles.get(heading, "") for heading in grid.headings]
    head = "".join(
        f"<th{_class(kind)}>{escape(heading)}</th>" for kind, heading in zip(kinds, grid.headings, strict=True)
    )
    sections: list[list[str]] = [[]]
    for row in grid.rows:
        if row is None:
            sections.append([])
            continue
        cells = zip(kinds, styles, row, strict=True)
        sections[-1].append(
            "<tr>" + "".join(f"<td{_class(kind)}>{_cell(cell, style)}</td>" for kind, style, cell in cells) + "</tr>"
        )
    bodies = "".join(f"<tbody>{''.join(rows)}</tbody>" for rows in sections if rows)
    title = f"<caption>{escape(grid.title)}</caption>" if grid.title else ""
    caption = f"<p>{escape(grid.caption)}</p>" if grid.caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead>{bodies}</table>{caption}"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _cell(cell: Text | str, style: str = "") -> str:
    """A cell's text; bold and dim are all the styles that pages take over."""
    text = as_text(cell)
    out, plain = [], text.plain
    edges = sorted({0, len(plain), *(edge for span in text.spans for edge in (span.start, span.end))})
    for start, end in pairwise(edges):
        styles = [style, str(text.style), *(str(s.style) for s in text.spans if s.start <= start and end <= s.end)]
        words = " ".join(styles).split()
        piece = escape(plain[start:end])
        if "dim" in words:
            piece = f'<span class="dim">{piece}</span>'
        elif "bold" in words and "not" not in words:
            piece = f"<b>{piece}</b>"
        out.append(piece)
    return "".join(out)
