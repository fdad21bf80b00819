"""`pneumobench plugins`: list them, show one, write a new one, check one against the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pneumobench.cli.options import AsJson, PluginName, PluginsDir

app = typer.Typer(help="List plugins; show, write and check them.", invoke_without_command=True, no_args_is_help=False)


@app.callback()
def list_plugins(context: typer.Context, plugins_dir: PluginsDir = None, as_json: AsJson = False) -> None:
    """List every plugin: name, what it is, where it comes from. Nothing of them is imported."""
    if context.invoked_subcommand:
        return
    from pneumobench.authoring import registry

    found = registry.entries().values()
    if as_json:
        import json

        rows = [{"name": e.name, "summary": e.summary, "origin": e.origin} for e in found]
        typer.echo(json.dumps({"plugins": rows}, indent=2))
        return
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("plugin", style="bold", no_wrap=True)
    table.add_column("what it is")
    table.add_column("from", style="dim")
    for entry in found:
        table.add_row(*map(escape, (entry.name, entry.summary, entry.origin)))
    Console().print(table)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new plugin's name; its file is NAME.py.")],
    base: Annotated[
        str | None, typer.Option("--from", help="Write a variant of this plugin.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            help="Folder to write into. Default: that of your own plugins, or plugins/ here.",
            show_default=False,
        ),
    ] = None,
    plugins_dir: PluginsDir = None,
) -> None:
    """Write a small commented plugin, which trains as it is."""
    from pneumobench.authoring import registry, templates

    path = templates.write(name, base=base, folder=folder)
    typer.echo(f"wrote {path}")
    found = name in registry.entries()
    elsewhere = "" if found else f" --plugins-dir {path.parent}"
    for command in (f"plugins check {name}", f"run {name} --no-test"):
        typer.echo(f"next: pneumobench {command}{elsewhere}")


@app.command()
def show(name: PluginName, plugins_dir: PluginsDir = None, as_json: AsJson = False) -> None:
    """Show a plugin: docstring, knobs, search space, parameters, and what differs from the baseline."""
    from pneumobench.cli.anatomy import show_plugin

    show_plugin(name, as_json=as_json)


@app.command()
def check(name: PluginName, plugins_dir: PluginsDir = None, as_json: AsJson = False) -> None:
    """Check a plugin against the contract, on a tiny phantom, and say what held. Exit code 1 where it breaks."""
    from pneumobench import contract
    from pneumobench.authoring import registry
    from pneumobench.cli.anatomy import show_verdicts
    from pneumobench.cli.display import watching

    registry.load(name)
    with watching() as progress:
        verdicts = contract.check(name, on_clause=lambda clause: progress.stage(clause.law))
    show_verdicts(name, verdicts, as_json=as_json)
    if any(verdict.broken for verdict in verdicts):
        raise typer.Exit(1)
