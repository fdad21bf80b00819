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
    from pneumobench.cli.runs import Warnings
    from pneumobench.comparison.verbs import plan

    made = plan(
        names or (),
        difference=difference,
        metric=metric,
        against=against,
        margin=margin,
        plot=plot,
        source=source,
        tracking_uri=tracking_uri,
        progress=Warnings(),
    )
    render.show_value(made, as_json=as_json)
    if plot is not None and not as_json:
        render.show(f"Curves: {plot}")
