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
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[IMAGE...|RUN_ID|PLUGIN]",
            help="Image files, or folders of them; with --serve a run or a plugin, whose trainings are all asked.",
        ),
    ] = None,
    model: Annotated[str, typer.Option(metavar="RUN_ID|champion", help="The model to ask.")] = "champion",
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve a page to drop an X-ray onto, for this machine alone, until Ctrl-C.")
    ] = False,
    host: Annotated[str, typer.Option(help="With --serve: the address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="With --serve: the port.")] = 5002,
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
    from pneumobench.errors import UsageError
    from pneumobench.experiment import predict
    from pneumobench.tracking.store import Store
    from pneumobench.utils.jsonable import to_json

    if serve:
        _serve([str(one) for one in images or ()] or [model], host, port, tracking_uri)
        return
    if not images:
        raise UsageError("predict takes image files or folders; --serve opens a page for them instead")
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


def _serve(names: Sequence[str], host: str, port: int, tracking_uri: str | None) -> None:
    from pneumobench.cli.progress import watching
    from pneumobench.errors import UsageError
    from pneumobench.experiment.serve import app, panel
    from pneumobench.tracking.store import Store

    if len(names) > 1:
        raise UsageError(f"--serve asks the trainings of one run or plugin, not of {len(names)}: {', '.join(names)}")
    with watching() as progress:
        progress.stage("loading the model")
        asked = panel.gather(Store(tracking_uri), names[0])
    if not app.is_loopback(host):
        typer.echo(f"pneumobench: whoever reaches {host} may ask; nothing asks for a password", err=True)

    def ready(address: str) -> None:
        print(f"{asked.title}: {address} (Ctrl-C ends it; research use only, nothing is stored)", flush=True)

    app.serve(asked, port, host, ready)


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
    kept.of_run(store, chosen)
    typer.echo(f"champion: run {chosen}, version {version} of the registered model, with its model card")
    typer.echo(f"serve it: MLFLOW_TRACKING_URI={redact(store.uri)} mlflow models serve -m models:/pneumobench@champion")
    typer.echo("          --env-manager local --port 5001")
