"""`pneumobench plugins`."""

from __future__ import annotations

import typer

from pneumobench.cli.options import AsJson

app = typer.Typer(help="List plugins.", invoke_without_command=True, no_args_is_help=False)


@app.callback()
def list_plugins(context: typer.Context, as_json: AsJson = False) -> None:
    """List every plugin: name, what it is, where it comes from. Nothing of them is imported."""
    if context.invoked_subcommand:
        return
    from pneumobench import registry

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
