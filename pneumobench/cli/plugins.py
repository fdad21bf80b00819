"""`pneumobench plugins`: list them, show one, write a new one, check one against the contract."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pneumobench.cli.options import AsJson, PluginName, PluginsDir

if TYPE_CHECKING:
    from pneumobench.contract import Verdict
    from pneumobench.contract.describe import Description

app = typer.Typer(help="List plugins; show, write and check them.", invoke_without_command=True, no_args_is_help=False)


@app.callback()
def list_plugins(context: typer.Context, plugins_dir: PluginsDir = None, as_json: AsJson = False) -> None:
    """List every plugin: name, what it is, where it comes from. None of them is imported."""
    if context.invoked_subcommand:
        return
    from pneumobench.authoring import registry
    from pneumobench.cli import render

    entries = registry.entries().values()
    if as_json:
        rows = [{"name": e.name, "summary": e.summary, "origin": e.origin} for e in entries]
        render.print_json({"plugins": rows})
        return
    render.show(
        render.table(
            ("plugin", "what it is", "from"),
            [(entry.name, entry.summary, entry.origin) for entry in entries],
            styles={"plugin": "bold", "from": "dim"},
            whole=("plugin",),
        )
    )


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
    elsewhere = "" if name in registry.entries() else f" --plugins-dir {path.parent}"
    for command in (f"plugins check {name}", f"run {name} --no-test"):
        typer.echo(f"next: pneumobench {command}{elsewhere}")


@app.command()
def show(name: PluginName, plugins_dir: PluginsDir = None, as_json: AsJson = False) -> None:
    """Show a plugin: docstring, knobs, search space, parameters, and what differs from the baseline."""
    from pneumobench.cli import render
    from pneumobench.contract.describe import describe

    described = describe(name)
    if not as_json:
        _show_description(described)
        return
    knobs = {
        knob.name: {"default": _plain(knob.default), "type": knob.type.__name__, "choices": list(knob.choices)}
        for knob in described.knobs.values()
    }
    render.print_json({**vars(described), "knobs": knobs})


@app.command()
def check(name: PluginName, plugins_dir: PluginsDir = None, as_json: AsJson = False) -> None:
    """Check a plugin against the contract, on a tiny phantom, and say what held. Exit code 1 where it breaks."""
    from pneumobench import contract
    from pneumobench.authoring import registry
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching

    registry.load(name)
    with watching() as progress:
        verdicts = contract.check(name, on_clause=lambda clause: progress.stage(clause.rule))
    if as_json:
        render.print_json({"plugin": name, "clauses": verdicts})
    else:
        _show_verdicts(name, verdicts)
    if any(verdict.broken for verdict in verdicts):
        raise typer.Exit(1)


def _show_description(described: Description) -> None:
    from pneumobench.authoring.differences import REFERENCE
    from pneumobench.cli import render

    def fact(name: str, text: str) -> Any:
        return render.styled((name, "bold"), f" {text}")

    rows = []
    for knob in described.knobs.values():
        kind = f"one of {', '.join(map(str, knob.choices))}" if knob.choices else knob.type.__name__
        rows.append((knob.name, str(_plain(knob.default)), kind, described.space.get(knob.name, "")))
    render.show(
        render.styled((described.name, "bold"), (f" {described.kind}, {described.origin}", "dim")),
        *("", described.docstring, ""),
        render.table(("knob", "default", "type", "searched"), rows, title="knobs"),
    )
    if described.no_space:
        render.show(fact("space", f"cannot be sampled: {described.no_space}"))
    uncounted = f"not counted: {described.why_not}"
    render.show(fact("parameters", uncounted if described.parameters is None else f"{described.parameters:,}"))
    if described.differences:
        render.show("", render.styled((f"differs from {REFERENCE} in", "bold")))
        render.show(*(f"  {field}: {value}" for field, value in described.differences.items()))


def _show_verdicts(name: str, verdicts: Sequence[Verdict]) -> None:
    from pneumobench.cli import render

    held: dict[bool | None, render.Cell] = {
        True: render.styled(("yes", "green")),
        False: render.styled(("no", "bold red")),
        None: "-",
    }
    rows = []
    for verdict in verdicts:
        where = f" ({verdict.where})" if verdict.where else ""
        rows.append((verdict.clause, held[verdict.held], render.styled(verdict.why, (where, "dim"))))
    broken = sum(verdict.broken for verdict in verdicts)
    render.show(
        render.table(("clause", "held", "why, and where"), rows, title=f"the contract of {name}"),
        f"{broken} of {len(verdicts)} clauses are broken" if broken else f"{name} keeps the contract",
    )


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
