"""`pneumobench predict` and `pneumobench champion`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pneumobench.cli.options import AsJson, PluginsDir, TrackingUri

if TYPE_CHECKING:
    from pneumobench.experiment.predict import ImageResult, Model


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
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Say of images how probable pneumonia is, and on which side of the stored threshold. Not a medical device."""
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching
    from pneumobench.experiment import predict
    from pneumobench.tracking.store import Store
    from pneumobench.utils.jsonable import to_json

    paths = predict.images(images)
    with watching() as progress:
        progress.stage("loading the model")
        store = Store(tracking_uri)
        asked = predict.find(store, model)
        for note in asked.served.predictor.notes:
            progress.note(note)
        tested = predict.record_look(asked, store, paths)
        pictures: dict[Path, Path] = {}
        if explain is not None:
            from pneumobench.training import overlay

            progress.stage("writing the pictures")
            pictures = overlay.write(asked.served.predictor, paths, explain)
        progress.stage("predicting")
        answers = []
        for answer in asked(paths):
            answers.append(answer)
            progress.advance(len(answers), len(paths))
    if as_json:
        about = {"run": asked.run_id, "threshold": asked.threshold, "trained": asked.description, "test_images": tested}
        drawn = {str(path): str(picture) for path, picture in pictures.items()}
        rows = [to_json(one) | ({"explained": drawn.get(one.image)} if explain else {}) for one in answers]
        render.print_json({"model": about, "images": rows})
    else:
        _show(asked, answers, tested)
        if pictures:
            render.show(f"{len(pictures)} pictures in {explain}: bright areas speak for pneumonia.")
    if any(one.error for one in answers):
        raise typer.Exit(1)


def _show(model: Model, answers: Sequence[ImageResult], tested: int) -> None:
    from pneumobench.cli import render

    rows = []
    for one in answers:
        odd = f"unreadable: {one.error}" if one.error else ", ".join(one.warnings)
        probability = "" if one.probability is None else f"{one.probability:.3f}"
        rows.append((one.image, probability, one.label or "-", odd))
    render.show(
        render.table(("image", "probability", "label", ""), rows, styles={"": "yellow"}),
        f"PNEUMONIA from {model.threshold:.3f} on, a threshold chosen on validation. {model.description}",
    )
    if tested:
        render.show(f"{tested} of these are test images of that dataset: this look is recorded in the ledger.")
    if any(one.warnings for one in answers):
        render.show("An image that is unlike a chest X-ray is given an answer all the same; it means nothing.")


def champion(
    run_id: Annotated[str, typer.Argument(help="A run, as `pneumobench runs` lists them.")],
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Name the model that `predict` uses, as an alias in MLflow's registry."""
    from pneumobench.comparison.card import kept
    from pneumobench.experiment import predict
    from pneumobench.tracking.store import Store
    from pneumobench.utils.provenance import redact

    store = Store(tracking_uri)
    chosen, version = predict.set_champion(store, run_id)
    kept.register(store, chosen, version)
    typer.echo(f"champion: run {chosen}, version {version} of the registered model, with its model card")
    typer.echo(f"serve it: MLFLOW_TRACKING_URI={redact(store.uri)} mlflow models serve -m models:/pneumobench@champion")
    typer.echo("          --env-manager local --port 5001")
