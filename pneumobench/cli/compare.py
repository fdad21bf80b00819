"""`pneumobench compare`: sentences first, then a ranked table and a forest plot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pneumobench.cli.forest import WIDTH, bar
from pneumobench.cli.options import AsJson, Data, From, TrackingUri

if TYPE_CHECKING:
    from pneumobench.cli.render import Grid
    from pneumobench.comparison.comparison import Comparison


def compare(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PLUGIN|RUN_ID]...", help="What to compare; default: every plugin.")
    ] = None,
    against: Annotated[str, typer.Option(help="The reference, a plugin or a run id.")] = "baseline",
    metric: Annotated[str, typer.Option(help="auroc, accuracy, accuracy_at_0.5, sensitivity, …")] = "auroc",
    policy: Annotated[
        str | None,
        typer.Option("--split", help="Compare trainings of this split. Default: the most common.", show_default=False),
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
    from pneumobench.cli.runs import tracked
    from pneumobench.comparison import compare
    from pneumobench.tracking.store import Store

    store = Store(tracking_uri)
    compare.check(metric, margin)
    comparison = compare.compare(
        tracked([], source, tracking_uri),
        names or (),
        against=against,
        metric=metric,
        policy=policy,
        all_pairs=all_pairs,
        margin=None if margin is None else store.ledger.name_margin(metric, margin),
        sites=site or (),
        within=within,
        by=by or (),
    )
    if html is not None:
        from pneumobench.comparison import report

        made = report.of(comparison, store, data)
        made.write(html)
        if source is None:
            made.log(store)
    if site_dir is not None:
        from pneumobench.comparison import leaderboard

        leaderboard.write(comparison, site_dir, store if source is None else None)
    if as_json:
        render.print_json(comparison)
        return
    render.show(*sentences(comparison), _ranked(comparison), _forest(comparison))
    for one in comparison.sites:
        from pneumobench.cli import sites

        render.show(*sites.parts(one, comparison.metric))
    for group in comparison.groups:
        from pneumobench.cli import groups

        render.show(*groups.parts(group))
    render.show(f"{comparison.subject}.", *comparison.remarks())
    if html:
        render.show(f"Report: {html}")
    if site_dir:
        render.show(f"Leaderboard: {site_dir / 'index.html'}")


def sentences(comparison: Comparison) -> list[str]:
    """What may be said of each pair, the largest difference first."""
    return [f"- {pair.sentence}" for pair in comparison.pairs]


def _ranked(comparison: Comparison) -> Grid:
    from pneumobench.cli import render
    from pneumobench.evaluation.labels import label
    from pneumobench.evaluation.words import figure, seconds

    metrics = list(dict.fromkeys((comparison.metric, "auroc", "accuracy_at_0.5", "accuracy")))[:3]
    columns = [label(metric).replace(" at ", "\nat ") for metric in metrics]
    rows: list[list[render.Cell]] = []
    for one in comparison.standings:
        seeds = f"{one.seeds} seed{'s' if one.seeds > 1 else ''}"
        seeds += ", imported" if one.experiment.is_imported else ""
        trials = f", {one.trials_spent} trials" if one.trials_spent else ""
        figures = [figure(one.test[metric]).replace(" [", "\n[") for metric in metrics]
        name = render.stacked(one.name, seeds + trials)
        rank = comparison.rank(one.name)
        ranks = [f"{rank[0]} to {rank[1]}" if rank[0] < rank[1] else str(rank[0])] if rank else []
        rows.append([name, *ranks, *figures, seconds(one.experiment.seconds), str(one.looks)])
    headings = ("plugin", *(["rank"] if comparison.all_pairs else []), *columns, "s", "looks")
    return render.table(headings, rows, styles={"plugin": "bold"}, right=("s", "looks"), whole=columns)


def _forest(comparison: Comparison) -> Grid:
    """Each pair's difference and interval on one axis, with 0 marked."""
    from pneumobench.cli import render
    from pneumobench.evaluation.words import difference, p_value

    low = min(0.0, *(pair.low for pair in comparison.pairs))
    high = max(0.0, *(pair.high for pair in comparison.pairs))
    name = "difference of" if comparison.all_pairs else f"less {comparison.reference}"
    axis = f"{low:+.3f}{f'{high:+.3f}':>{WIDTH - 6}}"
    headings = [name, axis, "difference", "p"]
    rows = [
        [
            f"{pair.plugin}\nless {pair.reference}" if comparison.all_pairs else pair.plugin,
            bar(pair.low, pair.difference, pair.high, low, high),
            difference(pair.difference, pair.low, pair.high).replace(" [", "\n["),
            p_value(pair.p_corrected),
        ]
        for pair in comparison.pairs
    ]
    if comparison.independent:
        test, values = comparison.independent
        headings.append(test)
        rows = [[*row, p_value(value)] for row, value in zip(rows, values, strict=True)]
    return render.table(headings, rows, styles={name: "bold"}, whole=headings[1:])
