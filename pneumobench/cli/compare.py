"""`pneumobench compare`: sentences first, then a ranked table and a forest plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pneumobench.cli.options import AsJson, Data, TrackingUri

if TYPE_CHECKING:
    from rich.table import Table

    from pneumobench.comparison.compare import Comparison

WIDTH, NAME = 21, 16  # characters of the forest plot, and of a plugin beside it


def compare(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PLUGIN|RUN_ID]...", help="What to compare; default: every plugin.")
    ] = None,
    against: Annotated[str, typer.Option(help="The reference, a plugin or a run id.")] = "baseline",
    metric: Annotated[str, typer.Option(help="auroc, accuracy, accuracy_at_0.5, sensitivity, …")] = "auroc",
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Read exported runs of this folder, not the tracking store.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Also write a report, one file that needs no network; with pictures where the images are at hand.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Say which plugins are better than a reference, by how much, and how sure that is; nothing is trained."""
    from pneumobench.cli.runs import find
    from pneumobench.comparison.compare import compare as compare_runs

    found = compare_runs(find([], source, tracking_uri), names or (), against=against, metric=metric)
    if html is not None:
        from pneumobench.cli.tables import cell
        from pneumobench.comparison import report
        from pneumobench.tracking.store import Store

        store = Store(tracking_uri)
        made = report.of(found, cell, store, data)
        made.write(html)
        if source is None:
            made.log(store)
    if as_json:
        print(json.dumps(found.as_dict(), indent=2))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for line in sentences(found):
        console.print(line, markup=False, soft_wrap=True)
    console.print(_ranked(found))
    console.print(_forest(found))
    for line in [*remarks(found), *([f"Report: {html}"] if html else [])]:
        console.print(line, markup=False, soft_wrap=True)


def sentences(found: Comparison) -> list[str]:
    """What may be said of each pair, the largest difference first."""
    return [f"- {pair.sentence}" for pair in found.pairs]


def remarks(found: Comparison) -> list[str]:
    """What a reader has to know beside the tables."""
    lines = [
        f"{found.images} images of {found.dataset} {found.fingerprint[:8]}, the same for all. In brackets 95 % "
        "intervals, from a bootstrap over patients and seeds; p is Holm's over all pairs. DeLong's and McNemar's tests "
        "take images as independent and compare the first seeds."
    ]
    if found.published:
        lines.append(
            f"Published: {found.published.value:.4f} accurate at 0.5, as one proportion of 624 "
            f"[{found.published.low:.3f}, {found.published.high:.3f}]"
            + (
                f"; {found.published_among[0]} of {found.published_among[1]} seeds of {found.reference} lie below it."
                if found.published_among
                else "."
            )
        )
    lines.append(f"Always naming the commoner class: {found.majority.value:.3f} accurate.")
    gaps = [standing.gap("auroc") for standing in found.standings]
    flattered = ": what is tuned there is flattered" if min(gaps) > 0 else ""
    lines.append(f"Validation AUROC less test AUROC: {min(gaps):+.3f} to {max(gaps):+.3f}{flattered}.")
    looks = max(standing.looks for standing in found.standings)
    lines.append(f"Looks at these test images before the latest result here: {looks} (`pneumobench ledger`).")
    lines += [*found.meanings, *(f"Left out: {one}" for one in found.left_out)]
    return lines


def _ranked(found: Comparison) -> Table:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from pneumobench.cli.tables import cell

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("plugin", style="bold", no_wrap=True, max_width=NAME)
    shown = list(dict.fromkeys((found.metric, "auroc", "accuracy_at_0.5", "accuracy")))[:3]
    for name in shown:
        table.add_column(name.replace("_", " ").replace("auroc", "AUROC").replace(" at ", "\nat "), no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column("looks", justify="right", no_wrap=True)
    for one in found.standings:
        seeds = f"{one.seeds} seed{'s' if one.seeds > 1 else ''}"
        spent = f", {one.trials_spent} trials" if one.trials_spent else ""
        cells = [cell(one.test[name]).replace(" [", "\n[") for name in shown]
        name = f"{escape(one.name)}\n[not bold dim]{seeds}{spent}[/]"
        table.add_row(name, *cells, f"{one.experiment.seconds:,.0f}", str(one.looks))
    return table


def _forest(found: Comparison) -> Table:
    """Each pair's difference and interval on one axis, with 0 marked."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    low, high = min(0.0, *(pair.low for pair in found.pairs)), max(0.0, *(pair.high for pair in found.pairs))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(f"less {found.reference}", style="bold", no_wrap=True, max_width=NAME)
    table.add_column(f"{low:+.3f}{f'{high:+.3f}':>{WIDTH - 6}}", no_wrap=True, width=WIDTH)
    table.add_column("difference", no_wrap=True, min_width=16)
    table.add_column("p", no_wrap=True, min_width=5)
    table.add_column("DeLong" if found.metric == "auroc" else "McNemar", no_wrap=True)
    for pair in found.pairs:
        figures = f"{pair.difference:+.3f}\n[{pair.low:+.3f}, {pair.high:+.3f}]"
        independent = pair.delong_p if pair.delong_p is not None else pair.mcnemar_p
        table.add_row(
            escape(pair.plugin),
            bar(pair.low, pair.difference, pair.high, low, high),
            escape(figures),
            _p(pair.p_corrected),
            _p(independent),
        )
    return table


def _p(value: float | None) -> str:
    if value is None or value != value:
        return ""
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def bar(low: float, value: float, high: float, least: float, most: float, width: int = WIDTH) -> str:
    """An interval with its value on an axis from least to most, 0 marked where the interval leaves it free."""
    span = (most - least) or 1.0

    def place(x: float) -> int:
        return min(width - 1, max(0, round((x - least) / span * (width - 1))))

    marks = [" "] * width
    marks[place(0.0)] = "│"
    for i in range(place(low), place(high) + 1):
        marks[i] = "┼" if i == place(0.0) else "─"
    marks[place(value)] = "●"
    return "".join(marks).rstrip()
