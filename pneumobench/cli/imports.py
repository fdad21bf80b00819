"""`pneumobench import`: predictions that any framework made, as tracked runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pneumobench.cli.options import DATA_TO_IMPORT, AsJson, OperatingRule, TrackingUri, grouped


@grouped(data=DATA_TO_IMPORT)
def import_predictions(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or Parquet: image path, name or hash; probability; seed if there are several."),
    ],
    data: Any,
    name: Annotated[str, typer.Option(help="What the model is called in every table.")],
    validation: Annotated[
        Path | None,
        typer.Option(help="The same of development images, on which the threshold is chosen.", show_default=False),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="The threshold, where there is no --validation. Default: 0.5.", show_default=False),
    ] = None,
    operating_point: OperatingRule = "youden",
    seed: Annotated[
        int | None,
        typer.Option(help="Training seed of a file without a column for it. Default: 0.", show_default=False),
    ] = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Track the predictions of a model from elsewhere on the test images, to be compared like any other."""
    from pneumobench.cli import render, runs
    from pneumobench.cli.progress import watching

    with watching() as progress:
        import pneumobench

        imported = pneumobench.import_predictions(
            file,
            name,
            data,
            validation=validation,
            threshold=threshold,
            operating_point=operating_point,
            seed=seed,
            tracking_uri=tracking_uri,
            progress=progress,
        )
    if as_json:
        render.print_json(imported)
        return
    runs.runs([imported.run_id], tracking_uri=tracking_uri)
    render.show(
        f"Looks at these test images before this one: {imported.looks} (`pneumobench ledger`).",
        f"Next: pneumobench compare; MLflow run {imported.run_id}.",
    )
