"""`pneumobench rerun`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pneumobench.cli.options import AsJson, PluginsDir, Sources, TrackingUri

if TYPE_CHECKING:
    from pneumobench.experiment.repeated import Repeated


def rerun(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="A run, as `pneumobench runs` lists them.")],
    data: Sources = None,
    plugins_dir: PluginsDir = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Train a run again with the same images, knobs, seeds and source of its plugin, and compare the two."""
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching
    from pneumobench.experiment.rerun import rerun as train_again

    with watching() as progress:
        where = tuple(map(str, data)) if data else None
        repeated = train_again(run_id, data=where, tracking_uri=tracking_uri, progress=progress)
    if as_json:
        render.print_json(repeated)
    else:
        _show(repeated)


def _show(repeated: Repeated) -> None:
    from pneumobench.cli import render

    rows = [
        (one.metric, f"{one.before:.4f}", f"{one.now:.4f}", f"{one.now - one.before:+.4f}", one.verdict)
        if one.metric != "training_seconds"
        else (one.metric, f"{one.before:.0f}", f"{one.now:.0f}", f"{one.now - one.before:+.0f}", "")
        for one in repeated.figures
    ]
    title = f"run {repeated.before[:8]} and its rerun {repeated.now[:8]}"
    lines = [f"Differed beforehand: {line}" for line in repeated.differences]
    if repeated.largest is not None:
        lines.append(f"The probabilities of one image differ by {repeated.largest:.2g} at most.")
    if repeated.seeds > 1:
        lines.append(f"Margins: what 95 % of reruns with another seed differ by, from {repeated.seeds} seeds.")
    else:
        lines.append("How far seeds are apart is not known from one; `pneumobench run … --seeds 5` measures it.")
    render.show(render.table(("metric", "before", "now", "difference", ""), rows, title=title), *lines)
