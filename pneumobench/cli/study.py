"""`pneumobench study` and `pneumobench worker`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pneumobench.cli.options import (
    DATA,
    TRIAL,
    AsJson,
    PluginsDir,
    Root,
    Sources,
    StorageUrl,
    StudiesDir,
    TrackingUri,
    grouped,
)
from pneumobench.cli.workers import Address, Count, Engine

Called = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="The study's name in the storage; default: its file's.")
]
Plugins = Annotated[
    list[str] | None, typer.Option("--plugin", help="Search only this plugin of the study; may be repeated.")
]
Knobs = Annotated[
    list[str] | None, typer.Option("--set", metavar="PLUGIN.KNOB=VALUE", help="Fix a knob; may be repeated.")
]
Metric = Annotated[
    str | None,
    typer.Option(help="val_auroc, val_log_loss or val_auroc_corrupted. Default: the study's.", show_default=False),
]
KeepModels = Annotated[str, typer.Option(metavar="N|all", help="Keep the models of the best N trials.")]


class WithDefault(TyperGroup):
    """Makes `study NAME` work beside `study list`: arguments without a subcommand go to `search`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["search", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=WithDefault)
ALSO = "Also: `pneumobench study list`, `study show NAME`, `study new NAME`, each with --help."


@app.command(hidden=True, epilog=ALSO)
@grouped(data=DATA, train=TRIAL)
def search(
    data: Any,
    train: Any,
    name: Annotated[str, typer.Argument(help="A file of studies/.")] = "default",
    trials: Annotated[
        int, typer.Option(help="Finished trials that the study has at the end, earlier ones included.")
    ] = 50,
    called: Called = None,
    plugins: Plugins = None,
    knobs: Knobs = None,
    metric: Metric = None,
    workers: Count = None,
    engine: Engine = "local",
    address: Address = None,
    keep_models: KeepModels = "3",
    repeats: Annotated[int, typer.Option(help="Train each trial with so many seeds; their mean is its value.")] = 1,
    storage: StorageUrl = None,
    plugins_dir: PluginsDir = None,
    studies_dir: StudiesDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Search plugins and their knobs with Optuna; the test images stay closed.

    An existing study of that name is resumed, however it was stopped.
    """
    from pneumobench.authoring.knobs import parse
    from pneumobench.cli.progress import watching
    from pneumobench.cli.render import show_value
    from pneumobench.cli.study_progress import showing
    from pneumobench.errors import UsageError

    if keep_models != "all" and not keep_models.isdigit():
        raise UsageError(f"--keep-models is a number or all, not '{keep_models}'")
    assigned: dict[str, Any] = dict(parse(knobs or []))
    with watching() as progress:
        import pneumobench
        from pneumobench.execution.workers import Workers

        with showing(progress) as watch:
            outcome = pneumobench.study(
                name,
                trials,
                data,
                train,
                name=called,
                plugins=plugins or (),
                knobs=assigned,
                metric=metric,
                keep_models=None if keep_models == "all" else int(keep_models),
                repeats=repeats,
                workers=Workers(workers, engine, address),
                storage=storage,
                tracking_uri=tracking_uri,
                progress=progress,
                watch=watch,
            )
    show_value(outcome, as_json=as_json)


@app.command("list")
def list_studies(storage: StorageUrl = None, studies_dir: StudiesDir = None, as_json: AsJson = False) -> None:
    """List the study files, and the studies in the storage with their trials."""
    from pneumobench.authoring import registry
    from pneumobench.cli.study_list import show_list
    from pneumobench.search.storage import Storage, exists
    from pneumobench.search.summary import summarise
    from pneumobench.search.trials import Trials

    entries = list(registry.STUDIES.entries().values())
    summaries = []
    if exists(storage):
        studies = Storage(storage)
        summaries = [summarise(Trials(studies, name)) for name in studies.names()]
    show_list(entries, summaries, as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A study in the storage.")],
    storage: StorageUrl = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Show a study's state, also while it runs: best trials, ties, importances, trials per plugin, errors."""
    from pneumobench.cli.render import show_value
    from pneumobench.errors import UsageError
    from pneumobench.search.outcome import Outcome
    from pneumobench.search.storage import Storage, exists
    from pneumobench.search.summary import summarise
    from pneumobench.search.trials import Trials
    from pneumobench.tracking.store import Store

    if not exists(storage):
        raise UsageError("no study is stored here; `pneumobench study --trials 50` starts one")
    store = Store(tracking_uri)
    trials = Trials(Storage(storage), name)
    show_value(Outcome(summarise(trials, store if store.exists else None)), as_json=as_json)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new study's name; its file is NAME.py.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            help="Folder to write into. Default: your studies folder, or studies/ here.",
            show_default=False,
        ),
    ] = None,
    studies_dir: StudiesDir = None,
) -> None:
    """Write a small commented study that runs unchanged."""
    from pneumobench.authoring import registry, templates
    from pneumobench.errors import UsageError

    if name in ("list", "show", "new", "search"):
        raise UsageError(f"'{name}' is a command of `pneumobench study`; choose another name")
    path = templates.write_study(name, folder)
    typer.echo(f"wrote {path}")
    elsewhere = "" if name in registry.STUDIES.entries() else f" --studies-dir {path.parent}"
    typer.echo(f"next: pneumobench study {name} --trials 10{elsewhere}")


def worker(
    name: Annotated[str, typer.Argument(help="A study that `pneumobench study` started.")],
    workers: Count = None,
    data: Sources = None,
    root: Root = None,
    storage: StorageUrl = None,
    plugins_dir: PluginsDir = None,
    studies_dir: StudiesDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Join a study from this or another machine, and train trials until it has enough."""
    from pneumobench.cli.progress import watching
    from pneumobench.cli.render import show_value
    from pneumobench.cli.study_progress import showing

    with watching() as progress:
        from pneumobench.search.outcome import Outcome
        from pneumobench.search.run import work

        with showing(progress) as watch:
            summary = work(
                name,
                storage=storage,
                tracking_uri=tracking_uri,
                data=data,
                root=root,
                workers=workers,
                progress=progress,
                watch=watch,
            )
    show_value(Outcome(summary), as_json=as_json)
