"""What `compare --by` prints of groups: what depends on them, and the figures in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pneumobench.utils.tables import Cell, Grid, Part, styled, table

if TYPE_CHECKING:
    from pneumobench.comparison.by_group import ByGroup


def parts(one: ByGroup) -> list[Part]:
    """Its sentences and, where there are groups, their table."""
    return [*(f"- {sentence}" for sentence in one.sentences()), *([_table(one)] if one.groups else [])]


def _table(one: ByGroup) -> Grid:
    """A section for each group: every plugin's figure, and its difference from the reference."""
    from pneumobench.evaluation.labels import label
    from pneumobench.evaluation.words import difference, figure

    reference = one.groups[0].pairs[0].reference
    is_one = {pair.reference for pair in one.groups[0].pairs} == {reference}
    rows: list[list[Cell] | None] = []
    for group in one.groups:
        less = {pair.plugin: difference(pair.difference, pair.low, pair.high) for pair in group.pairs}
        rows.append([styled((group.title, "bold")), "", ""])
        for name, estimate in sorted(group.figures.items(), key=lambda item: -item[1].value):
            rows.append([name, figure(estimate), less.get(name, "") if is_one else ""])
        rows.append(None)
    headings = [one.title, label(one.metric), f"less {reference}" if is_one else ""]
    return table(headings, rows[:-1], whole=headings[1:])
