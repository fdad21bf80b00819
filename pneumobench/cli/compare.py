"""`pneumobench compare`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pneumobench.cli.options import AsJson, Data, From, TrackingUri


def compare(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PLUGIN|RUN_ID]...", help="What to compare; default: every plugin.")
    ] = None,
    against: Annotated[str, typer.Option(help="The reference, a plugin or a run id.")] = "baseline",
    metric: Annotated[str, typer.Option(help="auroc, accuracy, accuracy_at_0.5, sensitivity, …")] = "auroc",
    split: Annotated[
        str | None,
        typer.Option(help="Compare trainings of this split. Default: the most common.", show_default=False),
    ] = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Test every pair, not only those with the reference; ranks follow.")
    ] = False,
    margin: Annotated[
        float | None,
        typer.Option(
            help="Also test whether plugins are no worse than the reference by more than this; goes into the ledger.",
            show_default=False,
        ),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            help="Also at this site, where `external` judged the models: is each difference the one at home? Repeated.",
            show_default=False,
        ),
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="At the sites, AUROC inside each value of this column.", show_default=False
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Also in groups by this column (subtype, view, sex, age): does a difference depend on it? Repeated.",
            show_default=False,
        ),
    ] = None,
    source: From = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Also write a report, one file that needs no network; with pictures where the images are available.",
            show_default=False,
        ),
    ] = None,
    site_dir: Annotated[
        Path | None,
        typer.Option(help="Also write a leaderboard, a folder of pages for any static host.", show_default=False),
    ] = None,
    data: Data = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Say which plugins are better than a reference, by how much, and how sure that is; nothing is trained."""
    # numpy's products here are narrow: more threads would burn as much time again, waiting for one another
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from pneumobench.cli import render
    from pneumobench.cli.runs import Warnings
    from pneumobench.comparison.verbs import compare

    answer = compare(
        names or (),
        against=against,
        metric=metric,
        split=split,
        all_pairs=all_pairs,
        margin=margin,
        site=site or (),
        within=within,
        by=by or (),
        source=source,
        html=html,
        site_dir=site_dir,
        data=data,
        tracking_uri=tracking_uri,
        progress=Warnings(),
    )
    render.show_value(answer, as_json=as_json)
    if html and not as_json:
        render.show(f"Report: {html}")
    if site_dir and not as_json:
        render.show(f"Leaderboard: {site_dir / 'index.html'}")
