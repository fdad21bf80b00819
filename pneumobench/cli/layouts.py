"""`pneumobench data layouts`: list the kinds of datasets that are read, show one, write a new one, check one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pneumobench.cli.options import HOW, AsJson, Group, grouped

app = typer.Typer(help="List the kinds of datasets; show, write and check them.", invoke_without_command=True)
OPTIONS = Group(HOW.kind, {name: option for name, option in HOW.options.items() if name != "layout"})
Name = Annotated[str, typer.Argument(help="A name from `pneumobench data layouts`.")]


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


@app.command()
def show(name: Name) -> None:
    """Show a layout: what it reads and leaves out, its citation and licence, and how to fetch it."""
    import inspect
    import sys

    from pneumobench.cli import render
    from pneumobench.data import detect

    layout = detect.load(name)
    entry = detect.LAYOUTS.find(name.replace("-", "_"))
    render.show(inspect.getdoc(sys.modules[entry.module]) or "", "")
    facts = {"citation": layout.citation, "licence": layout.licence, "fetch": layout.fetch}
    facts["takes"] = ", ".join(f"--{option}" for option in layout.takes)
    for fact, text in facts.items():
        if text:
            render.show(render.styled((fact, "bold"), f" {text}"))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new layout's name; its file is NAME.py.")],
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="Folder to write into. Default: PNEUMOBENCH_LAYOUTS, else layouts/ here."),
    ] = None,
) -> None:
    """Write a small commented layout, which reads a folder as it is."""
    from pneumobench.data import layout_template

    typer.echo(f"wrote {layout_template.write(name, folder)}")
    typer.echo(f"next: pneumobench data layouts check {name} DIR")


@app.command()
@grouped(how=OPTIONS)
def check(
    name: Name,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder (or a file) of this kind.")],
    how: Any,
    as_json: AsJson = False,
) -> None:
    """Check a layout against the contract, on a folder of its kind. Exit code 1 where it breaks."""
    from pneumobench.cli import render
    from pneumobench.contract.layouts import check

    checked = check(name, folder.expanduser(), how.reading)
    if as_json:
        render.print_json({"layout": name, "clauses": checked.verdicts})
    else:
        held: dict[bool | None, render.Cell] = {
            True: render.styled(("yes", "green")),
            False: render.styled(("no", "bold red")),
            None: "-",
        }
        rows = [(one.clause, held[one.held], one.why) for one in checked.verdicts]
        render.show(render.table(("clause", "held", "why"), rows, title=f"the contract of {name}"))
    if checked.is_broken:
        raise typer.Exit(1)
