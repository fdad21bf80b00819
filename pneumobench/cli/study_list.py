"""The list of studies as tables or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pneumobench.cli import render

if TYPE_CHECKING:
    from pneumobench.authoring.discovery import Entry
    from pneumobench.search.summary import Summary


def show_list(entries: Sequence[Entry], summaries: Sequence[Summary], *, as_json: bool) -> None:
    """Print the files of studies and the studies of a storage."""
    if as_json:
        files = [{"name": e.name, "summary": e.summary, "origin": e.origin} for e in entries]
        render.print_json({"files": files, "studies": summaries})
        return
    questions = [(entry.name, entry.summary, entry.origin) for entry in entries]
    render.show(render.table(("study", "what it asks", "from"), questions))
    if not summaries:
        render.show("No study has been run here.")
        return
    rows = []
    for one in summaries:
        finished = one.states["complete"] + one.states["pruned"]
        best = f"{one.metric} {one.best[0].value:.4f} ({one.best[0].plugin})" if one.best else "-"
        cells = (one.name, finished, one.target, one.states["running"], one.states["fail"], best)
        rows.append([str(cell) for cell in cells])
    render.show(render.table(("in the storage", "finished", "wanted", "running", "failed", "best"), rows))
