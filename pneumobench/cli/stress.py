"""`pneumobench stress`: tracked models on altered images, and on images without lungs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pneumobench.cli.external import ELSEWHERE, Models
from pneumobench.cli.options import AsJson, Group, PluginsDir, Sources, TrackingUri, grouped
from pneumobench.data.options import DataOptions

if TYPE_CHECKING:
    from pneumobench.cli.render import Grid
    from pneumobench.comparison.stress_result import StressResult

IMAGES = Group(DataOptions, ELSEWHERE.options | {"data": Sources})


@grouped(data=IMAGES)
def stress(
    data: Any,
    names: Models = None,
    site: Annotated[
        str | None,
        typer.Option(help="The images of --data are another site's, called so. Default: the models' own test images."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the alterations.")] = 0,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Try tracked models on altered test images, and on images without lungs: one look, and nothing is trained."""
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching

    with watching() as progress:
        from pneumobench.comparison.stress import stress

        result = stress(names or (), data, site=site, seed=seed, tracking_uri=tracking_uri, progress=progress)
    if as_json:
        render.print_json(result)
        return
    render.show(_table(result), *result.remarks())


def _table(result: StressResult) -> Grid:
    """A row for each alteration, a column for each plugin."""
    from pneumobench.cli import render
    from pneumobench.evaluation.words import figure, number

    plugins = [one.name for one in result.standings]
    rows: list[list[render.Cell] | None] = [
        ["as they are", *(figure(one.clean).replace(" [", "\n[") for one in result.standings)],
        ["mean of all", *(figure(one.mean).replace(" [", "\n[") for one in result.standings)],
        None,
    ]
    for kind in result.standings[0].auroc:
        figures = [f"{number(one.auroc[kind])}  ({number(one.accuracy[kind])})" for one in result.standings]
        rows.append([kind, *figures])
    rows.append(None)
    for control in result.standings[0].controls:
        floor = f"mean grey alone {number(result.floors[control])}" if control in result.floors else ""
        rows.append(
            [
                render.stacked(control, floor),
                *(figure(one.controls[control]).replace(" [", "\n[") for one in result.standings),
            ]
        )
    where = "test images" if result.site == "test" else f"images of {result.site}"
    title = f"AUROC (accuracy at the threshold) on {result.images} altered {where} of {result.dataset}"
    return render.table(["alteration", *plugins], rows, title=title, whole=plugins)
