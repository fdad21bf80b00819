"""`pneumobench stress`: tracked models on altered images, and on images without lungs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pneumobench.cli.external import ELSEWHERE, Models
from pneumobench.cli.options import AsJson, Group, PluginsDir, Sources, TrackingUri, grouped
from pneumobench.data.options import DataOptions

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
    render.show_value(result, as_json=as_json)
