"""A study's summary, and the list of studies, as tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from pneumobench.authoring.discovery import Entry
    from pneumobench.search.summary import Summary


def show_summary(summary: Summary, *, as_json: bool, folder: Path | None = None) -> None:
    """Print a summary to standard output."""
    if as_json:
        print(json.dumps(summary.as_dict(), indent=2, default=str))
        return
    console = Console(highlight=False)
    console.print(escape(counts(summary)), style="bold")
    if summary.best:
        console.print(_best(summary))
    console.print(_budgets(summary))
    for line in remarks(summary, folder):
        console.print(line, markup=False, soft_wrap=True)


def counts(summary: Summary) -> str:
    """The trials by state in a line."""
    shown = [f"{count} {state}" for state, count in summary.states.items() if count]
    return f"study {summary.name}: {', '.join(shown) or 'no trial yet'}; {summary.target} wanted"


def remarks(summary: Summary, folder: Path | None = None) -> list[str]:
    """What a reader has to know beside the tables, and the line to type next."""
    lines = []
    if summary.ties:
        lines.append(
            f"Tie: on the validation images the best trial cannot be told from {_listed(summary.ties)} "
            "(95 % intervals of the paired differences contain 0)."
        )
    if summary.lopsided:
        lines.append(summary.lopsided)
    for plugin, weights in summary.importances.items():
        told = ", ".join(f"{knob} {weight:.2f}" for knob, weight in weights.items())
        lines.append(f"Importance of {plugin}'s knobs: {told}.")
    if summary.exhausted:
        lines.append(f"Ended early: every combination is tried, nothing is left of the {summary.target} wanted.")
    lines += [f"Failed {count} x: {error}" for error, count in summary.errors.items()]
    if summary.best:
        lines.append(
            f"{summary.metric} is of validation images that chose the best of many: expect less on test images."
        )
    if folder is not None:
        lines.append(f"Plots and summary: {folder}")
    if summary.command:
        lines.append(f"next: {summary.command}")
    return lines


def show_list(entries: Sequence[Entry], found: Sequence[Summary], *, as_json: bool) -> None:
    """Print the files of studies and the studies of a storage."""
    if as_json:
        files = [{"name": e.name, "summary": e.summary, "origin": e.origin} for e in entries]
        print(json.dumps({"files": files, "studies": [one.as_dict() for one in found]}, indent=2, default=str))
        return
    console = Console()
    table = _table("study", "what it asks", "from")
    for entry in entries:
        table.add_row(*map(escape, (entry.name, entry.summary, entry.origin)))
    console.print(table)
    if not found:
        console.print("No study has been run here.")
        return
    table = _table("in the storage", "finished", "wanted", "running", "failed", "best")
    for one in found:
        finished = one.states["complete"] + one.states["pruned"]
        best = f"{one.metric} {one.best[0].value:.4f} ({one.best[0].plugin})" if one.best else "-"
        cells = (one.name, finished, one.target, one.states["running"], one.states["fail"], best)
        table.add_row(*(escape(str(cell)) for cell in cells))
    console.print(table)


def _best(summary: Summary) -> Table:
    table = _table("trial", summary.metric, "ties", "plugin", "knobs")
    for one in summary.best:
        prefix = f"{one.plugin}."
        knobs = ", ".join(
            f"{name.removeprefix(prefix)}={_short(value)}" for name, value in one.params.items() if name != "plugin"
        )
        ties = "" if one is summary.best[0] else {True: "yes", False: "no", None: "?"}[one.ties]
        table.add_row(str(one.number), f"{one.value:.4f}", ties, escape(one.plugin), escape(knobs))
    return table


def _budgets(summary: Summary) -> Table:
    table = _table("plugin", "trials", "pruned", "seconds", "best")
    for one in summary.budgets:
        best = "-" if one.best is None else f"{one.best:.4f}"
        table.add_row(escape(one.plugin), str(one.trials), str(one.pruned), f"{one.seconds:,.0f}", best)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _listed(numbers: Sequence[int]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
