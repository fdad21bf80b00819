"""`pneumobench external`: tracked models, as they were frozen, on the images of another hospital."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pneumobench.cli.options import DATA, READING, AsJson, Group, PluginsDir, TrackingUri, grouped
from pneumobench.data.options import DataOptions

Models = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PLUGIN|RUN_ID]...", help="Whose models; default: what `compare` would pick."),
]
ELSEWHERE = Group(
    DataOptions,
    {
        "data": Annotated[
            list[Path] | None,
            typer.Option(
                help="Folder or manifest of the other site's images: its test images or, where it has none, all. "
                "Repeated, each is a site.",
                show_default=False,
            ),
        ],
        **{name: READING.options[name] for name in READING.options if name not in ("data", "test_fraction")},
        "skip_unreadable": DATA.options["skip_unreadable"],
    },
)


@grouped(data=ELSEWHERE)
def external(
    data: Any,
    names: Models = None,
    site: Annotated[
        str | None, typer.Option(help="What to call the site. Default: its folder's name.", show_default=False)
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Also AUROC inside each value of a column of few, such as view, weighted by pairs.",
            show_default=False,
        ),
    ] = None,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Judge tracked models on another site's images, as they were frozen: one look, and nothing is trained."""
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching

    with watching() as progress:
        import pneumobench

        results = pneumobench.external(
            names or (), data, site=site, within=within, tracking_uri=tracking_uri, progress=progress
        )
    render.show_value(results, as_json=as_json)
