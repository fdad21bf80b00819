"""`pneumobench run`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pneumobench.cli.options import (
    DATA_TO_TEST,
    TRAIN,
    AsJson,
    PluginsDir,
    StorageUrl,
    StudiesDir,
    TrackingUri,
    grouped,
    names,
)
from pneumobench.cli.workers import Address, Count, Engine

if TYPE_CHECKING:
    from pneumobench.experiment.outcome import Outcome
    from pneumobench.experiment.request import Request
    from pneumobench.training.options import TrainOptions
    from pneumobench.utils.progress import Progress


@grouped(data=DATA_TO_TEST, train=TRAIN)
def run(
    data: Any,
    train: Any,
    plugins: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLUGIN]...", help="Names from `pneumobench plugins`.", autocompletion=names),
    ] = None,
    all_plugins: Annotated[bool, typer.Option("--all", help="Every plugin.")] = False,
    plugins_from: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY",
            help="The plugins of a file of studies/, with the knobs it fixes.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="First training seed. Default: 0, or with --from-study the one after the study's.", show_default=False
        ),
    ] = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KNOB=VALUE",
            help="Set a knob, of several plugins as PLUGIN.KNOB=VALUE; may be repeated.",
        ),
    ] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="--no-test leaves the test images closed.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Train anew what is tracked already.")] = False,
    workers: Count = None,
    engine: Engine = "local",
    address: Address = None,
    from_study: Annotated[
        str | None,
        typer.Option(
            help="Use the best knobs that this study found for the plugin, and its epochs.", show_default=False
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write the comparison of several plugins as a report.", show_default=False)
    ] = None,
    storage: StorageUrl = None,
    plugins_dir: PluginsDir = None,
    studies_dir: StudiesDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Train plugins, score them with intervals, track them in MLflow, and compare them where there are several."""
    from pneumobench.authoring.knobs import parse
    from pneumobench.cli.progress import watching
    from pneumobench.errors import UsageError
    from pneumobench.experiment.request import requested

    requests = requested(plugins or (), parse(knobs or []), everything=all_plugins, study=plugins_from)
    if html and len(requests) == 1:
        raise UsageError(
            "--html writes the comparison of several plugins; `pneumobench compare --html` that of tracked ones"
        )
    with watching() as progress:
        from pneumobench.execution.trainings import trainer
        from pneumobench.execution.workers import Workers
        from pneumobench.experiment.run import run_requests

        train = replace(train, seed=seed or 0)
        if from_study:
            requests, train = _from_study(from_study, requests, train, seed, storage, progress)
        outcome = run_requests(
            requests,
            data,
            train,
            test=test,
            again=again,
            tracking_uri=tracking_uri,
            progress=progress,
            trainer=trainer(Workers(workers, engine, address)),
        )
        if len(requests) == 1:
            for failure in outcome.failed:
                raise failure.error
    _show(outcome, html, tracking_uri, as_json=as_json)


def _from_study(
    study: str, requests: list[Request], train: TrainOptions, seed: int | None, storage: str | None, progress: Progress
) -> tuple[list[Request], TrainOptions]:
    """The request with the knobs that a study found, and the training options of its trials."""
    from pneumobench.errors import UsageError
    from pneumobench.search.best import best

    if len(requests) > 1:
        raise UsageError(f"--from-study takes the knobs of one plugin, not of {len(requests)}")
    (request,) = requests
    origin = best(study, request.plugin, storage)
    progress.fact(f"knobs of trial {origin.trial} of study {study}, one of {origin.trials} of {request.plugin}")
    train = replace(
        train,
        epochs=origin.epochs if train.epochs is None else train.epochs,
        seed=origin.seed + 1 if seed is None else seed,
    )
    return [replace(request, knobs={**origin.knobs, **request.knobs}, origin=origin)], train


def _show(outcome: Outcome, html: Path | None, tracking_uri: str | None, *, as_json: bool) -> None:
    """The result of one plugin; of several the comparison, and then what failed, as an error."""
    from pneumobench.cli import render
    from pneumobench.comparison.verbs import of_results
    from pneumobench.errors import TrainingError
    from pneumobench.tracking.store import Store

    answer = of_results(outcome.results, Store(tracking_uri), html)
    if as_json and (len(outcome.results) != 1 or outcome.failed):
        failed = [str(failure) for failure in outcome.failed]
        render.print_json({"results": outcome.results, "comparison": answer, "failed": failed})
    else:
        for value in [answer] if answer and not as_json else outcome.results:
            render.show_value(value, as_json=as_json)
        if html and not as_json:
            render.show(
                f"Report: {html}" if answer else "No report: fewer than two plugins were scored on test images."
            )
    if outcome.failed:
        first, *others = map(str, outcome.failed)
        more = f"; and {len(others)} more: {'; '.join(others)}" if others else ""
        raise TrainingError(f"{first}{more}; the same command trains again what is missing")
