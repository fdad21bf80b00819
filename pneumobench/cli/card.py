"""`pneumobench card` and `pneumobench checklist`: evidence to hand in, from what is tracked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pneumobench.cli.options import AsJson, From, PluginsDir, TrackingUri

if TYPE_CHECKING:
    from pneumobench.comparison.facts import Facts
    from pneumobench.comparison.page import Page

Which = Annotated[
    str, typer.Argument(metavar="RUN_ID", help="A run as `pneumobench runs` lists them, or a plugin's name.")
]
Html = Annotated[
    Path | None, typer.Option(help="Also write it as an HTML file, which needs no network.", show_default=False)
]
Output = Annotated[
    Path | None, typer.Option(help="Write the Markdown to a file, not to the terminal.", show_default=False)
]


def card(
    run: Which,
    output: Output = None,
    html: Html = None,
    log: Annotated[bool, typer.Option("--log", help="Also add it to the files of the run.")] = False,
    source: From = None,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Write a model card: data, training, figures, limits and licences, from what is tracked, in Markdown."""
    from pneumobench.comparison import card
    from pneumobench.comparison.card import kept
    from pneumobench.errors import UsageError
    from pneumobench.tracking.store import Store

    if log and source is not None:
        raise UsageError("--log adds the card to a tracked run; --from reads exported ones, which have no files")
    known = gathered(run, source, tracking_uri)
    written(card.of(known), output, html, as_json=as_json)
    if log:
        kept.log(known, Store(tracking_uri))


def checklist(
    run: Which,
    standard: Annotated[str, typer.Option(help="claim (CLAIM 2024) or tripod-ai (TRIPOD+AI).")] = "claim",
    output: Output = None,
    html: Html = None,
    source: From = None,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Answer a reporting standard's items from what is tracked, in Markdown; the others are marked as yours."""
    from pneumobench.comparison import checklist

    checklist.items(standard)
    page = checklist.of(gathered(run, source, tracking_uri), standard)
    written(page, output, html, soft=(checklist.YOURS,), as_json=as_json)


def gathered(run: str, source: Path | None, tracking_uri: str | None) -> Facts:
    """What is tracked of a run, in the store or an exported folder."""
    from pneumobench.cli.runs import tracked
    from pneumobench.comparison import facts
    from pneumobench.tracking.store import Store

    trainings = tracked([], source, tracking_uri)
    return facts.of(trainings, run, Store(tracking_uri) if source is None else None)


def written(page: Page, output: Path | None, html: Path | None, *, soft: tuple[str, ...] = (), as_json: bool) -> None:
    """A page to the files asked for; its Markdown, or one JSON object, to the terminal where no file takes it."""
    from pneumobench.cli import render
    from pneumobench.comparison.page import html as as_html
    from pneumobench.comparison.page import markdown
    from pneumobench.utils import files

    text = markdown.render(page)
    if html is not None:
        files.write_text(html, as_html.render(page, soft))
    if output is not None:
        files.write_text(output, text)
    if as_json:
        render.print_json(page)
    elif output is None:
        print(text, end="")
    if not as_json:
        for path in (output, html):
            if path is not None:
                typer.echo(f"pneumobench: wrote {path}", err=True)
