"""`pneumobench run`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from pneumobench.cli.options import (
    DATA_TO_TEST,
    TRAIN,
    AsJson,
    PluginName,
    PluginsDir,
    StorageUrl,
    TrackingUri,
    grouped,
)


@grouped(data=DATA_TO_TEST, train=TRAIN)
def run(
    plugin: PluginName,
    data: Any,
    train: Any,
    seed: Annotated[
        int | None,
        typer.Option(
            help="First training seed. Default: 0, or with --from-study the one after the study's.", show_default=False
        ),
    ] = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KNOB=VALUE", help="Set a knob of the plugin; may be repeated."),
    ] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="--no-test leaves the test images closed.")] = True,
    from_study: Annotated[
        str | None,
        typer.Option(
            help="Use the best knobs that this study found for the plugin, and its epochs.", show_default=False
        ),
    ] = None,
    storage: StorageUrl = None,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Train a plugin, score it with intervals, and track it in MLflow."""
    from pneumobench.authoring.knobs import parse
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching

    chosen: dict[str, Any] = dict(parse(knobs or []))
    with watching() as progress:
        import pneumobench

        origin = None
        if from_study:
            from pneumobench.search.best import best

            origin = best(from_study, plugin, storage)
            chosen = {**origin.knobs, **chosen}
            train = replace(train, epochs=origin.epochs if train.epochs is None else train.epochs)
            seed = origin.seed + 1 if seed is None else seed
            progress.fact(f"knobs of trial {origin.trial} of study {from_study}, one of {origin.trials} of {plugin}")
        result = pneumobench.run(
            plugin,
            chosen,
            data,
            replace(train, seed=seed or 0),
            test=test,
            tracking_uri=tracking_uri,
            origin=origin,
            progress=progress,
        )
    render.show_value(result, as_json=as_json)
