"""A plugin's anatomy and the verdicts on it, as tables or as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pneumobench.authoring.differences import REFERENCE
from pneumobench.contract import Verdict
from pneumobench.contract.describe import describe


def show_plugin(name: str, *, as_json: bool) -> None:
    """Print what a plugin is made of."""
    found = describe(name)
    if as_json:
        knobs = {
            knob.name: {"default": _plain(knob.default), "type": knob.type.__name__, "choices": list(knob.choices)}
            for knob in found.knobs.values()
        }
        print(json.dumps({**vars(found), "knobs": knobs}, indent=2))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{escape(name)}[/] [dim]{found.kind}, {escape(found.origin)}[/]\n")
    console.print(found.docstring, markup=False, soft_wrap=True)
    table = Table(title="knobs", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("knob", "default", "type", "searched"):
        table.add_column(heading, overflow="fold")
    for knob in found.knobs.values():
        kind = f"one of {', '.join(map(str, knob.choices))}" if knob.choices else knob.type.__name__
        table.add_row(*map(escape, (knob.name, str(_plain(knob.default)), kind, found.space.get(knob.name, ""))))
    console.print()
    console.print(table)
    if found.no_space:
        console.print(f"[bold]space[/] cannot be sampled: {escape(found.no_space)}")
    count = f"{found.parameters:,}" if found.parameters is not None else f"not counted: {found.why_not}"
    console.print(f"[bold]parameters[/] {escape(count)}")
    if found.differences:
        console.print(f"\n[bold]differs from {REFERENCE} in[/]")
        for field, value in found.differences.items():
            console.print(f"  {field}: {value}", markup=False, soft_wrap=True)


def show_verdicts(name: str, verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    """Print what held of a plugin's contract, and for what did not, why and where."""
    if as_json:
        print(json.dumps({"plugin": name, "clauses": [asdict(verdict) for verdict in verdicts]}, indent=2))
        return
    table = Table(title=f"the contract of {name}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.add_column("clause")
    table.add_column("held", no_wrap=True)
    table.add_column("why, and where", overflow="fold")
    words = {True: "[green]yes[/]", False: "[bold red]no[/]", None: "[dim]-[/]"}
    for verdict in verdicts:
        why = escape(verdict.why) + (f" [dim]({escape(verdict.where)})[/]" if verdict.where else "")
        table.add_row(verdict.clause, words[verdict.held], why)
    console = Console(highlight=False)
    console.print(table)
    broken = sum(verdict.broken for verdict in verdicts)
    console.print(f"{broken} of {len(verdicts)} clauses are broken" if broken else f"{name} keeps the contract")


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
