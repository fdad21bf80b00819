"""`pneumobench plan`: before training, what a comparison needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pneumobench.cli.options import AsJson, From, TrackingUri


def plan(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PLUGIN|RUN_ID]...", help="Which plugins; default: every one.")
    ] = None,
    difference: Annotated[float, typer.Option(help="The difference that is to be found.")] = 0.01,
    metric: Annotated[str, typer.Option(help="auroc, accuracy, accuracy_at_0.5, sensitivity, …")] = "auroc",
    against: Annotated[str, typer.Option(help="The reference, a plugin or a run id.")] = "baseline",
    margin: Annotated[
        float | None,
        typer.Option(
            help="Name the margin of a later `compare --margin` now: it goes into the ledger, before any look.",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw detectable differences by trainings.", show_default=False),
    ] = None,
    source: From = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Say how many trainings and test patients a difference needs, from the variances of tracked trainings."""
    from pneumobench.cli import render
    from pneumobench.cli.runs import tracked
    from pneumobench.comparison import compare
    from pneumobench.comparison.plan import TRAININGS, plan
    from pneumobench.tracking.store import Store

    compare.check(metric, margin)
    made = plan(tracked([], source, tracking_uri), names or (), against=against, metric=metric, difference=difference)
    named = None if margin is None else Store(tracking_uri).ledger.name_margin(metric, margin)
    if plot is not None:
        made.draw(plot)
    if as_json:
        render.print_json(made)
        return
    headings = [
        "plugin",
        "trainings\nneeded",
        "patients\nneeded",
        *(f"by {n}\na side" for n in TRAININGS),
        "never\nless",
    ]
    rows = [
        [
            need.plugin,
            "never" if need.trainings is None else str(need.trainings),
            "never" if need.patients is None else f"{need.patients:,}",
            *(f"{value:.3f}" for value in need.detectable.values()),
            f"{need.floor:.3f}",
        ]
        for need in made.needs
    ]
    render.show(
        *made.sentences(),
        render.table(headings, rows, styles={"plugin": "bold"}, right=headings[1:]),
        f"For each number of trainings a side the difference that is found with a probability of 0.8 on these "
        f"{made.patients} test patients, as one of {made.pairs} pairs (Bonferroni); patients needed are with as many "
        "trainings as there are.",
        *(f"Left out: {one}." for one in made.left_out),
        *([f"Curves: {plot}"] if plot else []),
        *([f"Margin {named.margin:g} for {metric} is in the ledger since {named.when[:10]}."] if named else []),
    )
