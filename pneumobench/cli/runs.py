"""`pneumobench run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pneumobench.cli.options import AsJson, PluginName, PluginsDir, TrackingUri


def run(
    plugin: PluginName,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with train and test (and val), each with NORMAL and PNEUMONIA; or `phantom`. "
            "Default: PNEUMOBENCH_DATA, data/chest_xray, the phantom.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="patient: 15 % of the patients are validation. official: the release's val folder."),
    ] = "patient",
    split_seed: Annotated[int, typer.Option(help="Seed of the split, apart from that of training.")] = 0,
    seeds: Annotated[int, typer.Option(help="So many trainings, on seeds from --seed on.")] = 1,
    seed: Annotated[int, typer.Option(help="The first training seed.")] = 0,
    folds: Annotated[
        int | None,
        typer.Option(help="Cross-validate: so many trainings, each patient held out once.", show_default=False),
    ] = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KNOB=VALUE", help="Set a knob of the plugin; may be repeated."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs in all, shared among the plugin's phases.", show_default=False)
    ] = None,
    precision: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16; auto is bfloat16 where the device is fast at it.")
    ] = "auto",
    limit: Annotated[
        int | None,
        typer.Option(help="Try it on about so many images (whole patients).", show_default=False),
    ] = None,
    operating_point: Annotated[
        str, typer.Option(help="Threshold from validation: youden, sensitivity=S, or a number.")
    ] = "youden",
    test: Annotated[bool, typer.Option("--test/--no-test", help="--no-test leaves the test images closed.")] = True,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Go on without images that cannot be read.")
    ] = False,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Train a plugin, score it with intervals, and track it in MLflow."""
    from pneumobench.cli.display import watching
    from pneumobench.cli.tables import show_result
    from pneumobench.knobs import parse

    chosen: dict[str, Any] = dict(parse(knobs or []))
    with watching() as progress:
        from pneumobench.experiment import run as run_experiment

        result = run_experiment(
            plugin,
            data=data,
            split=split,
            split_seed=split_seed,
            seeds=seeds,
            seed=seed,
            folds=folds,
            knobs=chosen,
            epochs=epochs,
            precision=precision,
            limit=limit,
            operating=operating_point,
            test=test,
            skip_unreadable=skip_unreadable,
            tracking_uri=tracking_uri,
            progress=progress,
        )
    show_result(result, as_json=as_json)
