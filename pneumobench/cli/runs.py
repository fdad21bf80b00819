"""`pneumobench runs` and `pneumobench export`: what was trained, and what a comparison needs of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pneumobench.cli.options import AsJson, TrackingUri

if TYPE_CHECKING:
    from pneumobench.tracking.runs import TrackedRun

From = Annotated[
    Path | None,
    typer.Option("--from", help="Read exported runs of this folder, not the tracking store.", show_default=False),
]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[RUN_ID]...", help="Runs; default: all.")]


def runs(
    ids: Ids = None,
    source: From = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a Markdown file.")] = False,
) -> None:
    """List what was trained, each figure computed again from the stored predictions; nothing is trained."""
    from pneumobench.cli import listing
    from pneumobench.tracking.runs import experiments

    found = listing.rows(experiments(find(ids or [], source, tracking_uri)))
    listing.show(found, as_json=as_json, markdown=markdown)


def export(
    ids: Annotated[list[str], typer.Argument(metavar="RUN_ID...", help="Runs, as `pneumobench runs` lists them.")],
    to: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("results"),
    tracking_uri: TrackingUri = None,
) -> None:
    """Write what a comparison needs (predictions with patient keys, knobs, tags) into a folder; no image."""
    from pneumobench.tracking.export import write

    for run in find(ids, None, tracking_uri):
        typer.echo(write(run, to))


def find(ids: list[str], source: Path | None, tracking_uri: str | None) -> list[TrackedRun]:
    """Trainings of the tracking store, or of an exported folder."""
    from pneumobench.errors import UsageError
    from pneumobench.tracking.export import read
    from pneumobench.tracking.runs import chosen, of_store
    from pneumobench.tracking.store import Store

    if source is not None:
        return chosen(read(source), ids)
    store = Store(tracking_uri)
    found = chosen(of_store(store), ids) if store.exists else []
    if not found:
        raise UsageError("no finished run is tracked here; `pneumobench run baseline` makes one")
    return found
