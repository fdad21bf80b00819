"""`pneumobench run`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pneumobench.cli.options import (
    AsJson,
    Data,
    Limit,
    PluginName,
    PluginsDir,
    Precision,
    SkipUnreadable,
    Split,
    SplitSeed,
    Storage,
    TrackingUri,
)


def run(
    plugin: PluginName,
    data: Data = None,
    split: Split = "patient",
    split_seed: SplitSeed = 0,
    seeds: Annotated[int, typer.Option(help="So many trainings, on seeds from --seed on.")] = 1,
    seed: Annotated[
        int | None,
        typer.Option(
            help="The first training seed. Default: 0, or the first that --from-study leaves.", show_default=False
        ),
    ] = None,
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
    precision: Precision = "auto",
    limit: Limit = None,
    operating_point: Annotated[
        str, typer.Option(help="Threshold from validation: youden, sensitivity=S, or a number.")
    ] = "youden",
    test: Annotated[bool, typer.Option("--test/--no-test", help="--no-test leaves the test images closed.")] = True,
    skip_unreadable: SkipUnreadable = False,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Go on where a patient is in both training and test; marks the run.")
    ] = False,
    from_study: Annotated[
        str | None,
        typer.Option(
            help="Take the best knobs and the budget that this study found for the plugin.", show_default=False
        ),
    ] = None,
    storage: Storage = None,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Train a plugin, score it with intervals, and track it in MLflow."""
    from pneumobench.authoring.knobs import parse
    from pneumobench.cli.display import watching
    from pneumobench.cli.tables import show_result

    chosen: dict[str, Any] = dict(parse(knobs or []))
    with watching() as progress:
        from pneumobench.experiment.run import run as run_experiment

        origin = None
        if from_study:
            from pneumobench.search.best import best

            origin = best(from_study, plugin, storage)
            chosen = {**origin.knobs, **chosen}
            epochs = origin.epochs if epochs is None else epochs
            seed = origin.seed + 1 if seed is None else seed
            progress.fact(f"knobs of trial {origin.trial} of study {from_study}, one of {origin.trials} of {plugin}")

        result = run_experiment(
            plugin,
            data=data,
            split=split,
            split_seed=split_seed,
            seeds=seeds,
            seed=seed or 0,
            folds=folds,
            knobs=chosen,
            epochs=epochs,
            precision=precision,
            limit=limit,
            operating=operating_point,
            test=test,
            skip_unreadable=skip_unreadable,
            allow_leak=allow_leak,
            tracking_uri=tracking_uri,
            origin=origin,
            progress=progress,
        )
    show_result(result, as_json=as_json)
