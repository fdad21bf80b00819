"""`pneumobench predict` and `pneumobench champion`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pneumobench.cli.options import AsJson, TrackingUri


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files, or folders of them.")],
    model: Annotated[str, typer.Option(metavar="RUN_ID|champion", help="The model to ask.")] = "champion",
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write pictures of where the network looked (Grad-CAM) into a folder.",
            show_default=False,
        ),
    ] = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Say of images how probable pneumonia is, and on which side of the stored threshold. Not a medical device."""
    from dataclasses import asdict

    from pneumobench.cli.display import watching
    from pneumobench.experiment import predict as predicting
    from pneumobench.tracking.store import Store

    paths = predicting.images(images)
    with watching() as progress:
        progress.stage("loading the model")
        store = Store(tracking_uri)
        found = predicting.find(store, model)
        tested = predicting.admit(found, store, paths)
        pictures: dict[Path, Path] = {}
        if explain is not None:
            from pneumobench.training import overlay

            progress.stage("writing the pictures")
            pictures = overlay.write(found.served.predictor, paths, explain)
        progress.stage("judging")
        said = []
        for path_said in found(paths):
            said.append(path_said)
            progress.advance(len(said), len(paths))
    if as_json:
        import json

        about = {"run": found.run_id, "threshold": found.threshold, "trained": found.about, "test_images": tested}
        drawn = {str(path): str(picture) for path, picture in pictures.items()}
        images_said = [asdict(one) | ({"explained": drawn.get(one.image)} if explain else {}) for one in said]
        print(json.dumps({"model": about, "images": images_said}, indent=2))
    else:
        from rich import box
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        console = Console(highlight=False)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("image", overflow="fold")
        for heading in ("probability", "label", ""):
            table.add_column(heading)
        for one in said:
            odd = f"unreadable: {one.error}" if one.error else ", ".join(one.warnings)
            probability = "" if one.probability is None else f"{one.probability:.3f}"
            warning = f"[yellow]{escape(odd)}[/]" if odd else ""
            table.add_row(escape(one.image), probability, one.label or "-", warning)
        console.print(table)
        console.print(f"PNEUMONIA from {found.threshold:.3f} on, as validation chose. {escape(found.about)}")
        if tested:
            console.print(f"{tested} of these are test images of that dataset: this look stands in the ledger.")
        if pictures:
            console.print(f"{len(pictures)} pictures in {escape(str(explain))}: bright is what speaks for pneumonia.")
        if any(one.warnings for one in said):
            console.print("A picture that is unlike a chest X-ray gets an answer all the same; it means nothing.")
    if any(one.error for one in said):
        raise typer.Exit(1)


def champion(
    run_id: Annotated[str, typer.Argument(help="A run, as `pneumobench runs` lists them.")],
    tracking_uri: TrackingUri = None,
) -> None:
    """Name the model that `predict` uses, as an alias in MLflow's registry."""
    from pneumobench.experiment import predict as predicting
    from pneumobench.tracking.store import Store
    from pneumobench.utils.provenance import redact

    store = Store(tracking_uri)
    found = predicting.crown(store, run_id)
    typer.echo(f"champion: run {found}")
    typer.echo(f"serve it: MLFLOW_TRACKING_URI={redact(store.uri)} mlflow models serve -m models:/pneumobench@champion")
    typer.echo("          --env-manager local --port 5001")
