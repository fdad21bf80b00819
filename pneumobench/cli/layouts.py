"""`pneumobench data layouts`: list the kinds of datasets that can be read."""

from __future__ import annotations

import typer

from pneumobench.cli.options import AsJson

app = typer.Typer(help="List the kinds of datasets that are read.", invoke_without_command=True, no_args_is_help=False)


@app.callback()
def list_layouts(context: typer.Context, as_json: AsJson = False) -> None:
    """List every layout: name, what it is, where it comes from. None of them is imported."""
    if context.invoked_subcommand:
        return
    from pneumobench.cli import render
    from pneumobench.data import detect

    entries = detect.entries()
    if as_json:
        rows = [{"name": name, "summary": e.summary, "origin": e.origin} for name, e in entries.items()]
        render.print_json({"layouts": rows})
        return
    render.show(
        render.table(
            ("layout", "what it is", "from"),
            [(name, entry.summary, entry.origin) for name, entry in entries.items()],
            styles={"layout": "bold", "from": "dim"},
            whole=("layout",),
        )
    )
