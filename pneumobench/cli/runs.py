"""`pneumobench runs` and `pneumobench export`: what was trained, and what a comparison needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pneumobench.cli.options import AsJson, From, TrackingUri
from pneumobench.utils.progress import NoteKind, Progress

if TYPE_CHECKING:
    from pneumobench.comparison.scored import Scored
    from pneumobench.tracking.runs import TrackedRun

Ids = Annotated[list[str] | None, typer.Argument(metavar="[RUN_ID]...", help="Runs; default: all.")]
METRICS = (
    *("accuracy_at_0.5", "accuracy", "auroc"),  # these on a terminal of eighty columns
    *("sensitivity_at_0.5", "specificity_at_0.5", "sensitivity", "specificity"),
)
INTERVALS = "In brackets 95 % intervals over patients (and seeds); ± is the standard deviation over seeds."


def runs(
    ids: Ids = None,
    source: From = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a Markdown file.")] = False,
) -> None:
    """List what was trained, each figure computed again from the stored predictions; nothing is trained."""
    from pneumobench.cli import render
    from pneumobench.comparison.scored import score
    from pneumobench.tracking.runs import experiments

    scored = score(experiments(tracked(ids or [], source, tracking_uri)))
    if as_json:
        render.print_json({"experiments": scored})
    elif markdown:
        render.show(*in_markdown(scored))
    else:
        _show(scored)


def export(
    ids: Annotated[list[str], typer.Argument(metavar="RUN_ID...", help="Runs, as `pneumobench runs` lists them.")],
    to: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("results"),
    tracking_uri: TrackingUri = None,
) -> None:
    """Write what a comparison needs (predictions with patient keys, knobs, tags) into a folder; no image."""
    from pneumobench.tracking.export import write

    for run in tracked(ids, None, tracking_uri):
        typer.echo(write(run, to))


class Warnings(Progress):
    """Shows notes alone, such as which runs cannot be read."""

    def note(self, text: str, kind: NoteKind = "note") -> None:
        typer.echo(f"pneumobench: {text}", err=True)


def tracked(ids: list[str], source: Path | None, tracking_uri: str | None) -> list[TrackedRun]:
    """Trainings of the tracking store, or of an exported folder. Raises: UsageError where there is none."""
    from pneumobench.tracking.store import Store
    from pneumobench.tracking.trainings import trainings

    return trainings(ids, source, Store(tracking_uri), Warnings().note)


def in_markdown(scored: Sequence[Scored]) -> list[str]:
    """The lines of a table of test figures for each dataset, the highest AUROC first; what has none is left out."""
    from pneumobench.cli import render
    from pneumobench.comparison.scored import by_images
    from pneumobench.evaluation.labels import label
    from pneumobench.evaluation.words import UNDEFINED, figure, seconds

    lines: list[str] = []
    columns = [label(metric, full=True) for metric in METRICS]
    for dataset, group in by_images([one for one in scored if one.test]):
        tested = [(one, one.test) for one in group if one.test]
        rows = [
            [
                *(one.experiment.name, str(len(one.experiment.runs))),
                *(figure(test[metric]) for metric in METRICS),
                *(figure(one.validation["auroc"]) if one.validation else UNDEFINED, seconds(one.experiment.seconds)),
            ]
            for one, test in sorted(tested, key=lambda pair: -pair[1]["auroc"].value)
        ]
        headings = [dataset, "seeds", *columns, "validation AUROC", "seconds a training"]
        lines += ["", *render.markdown(headings, rows)]
    return lines[1:]


def _show(scored: Sequence[Scored]) -> None:
    from pneumobench.cli import render
    from pneumobench.comparison.scored import by_images
    from pneumobench.evaluation.labels import label
    from pneumobench.evaluation.words import figure

    metrics = METRICS[:3]
    headings = [label(metric, full=True).replace(" at ", "\nat ") for metric in metrics]
    for dataset, group in by_images(scored):
        rows: list[list[render.Cell]] = []
        for one in group:
            figures, part = (one.test, "test") if one.test else (one.validation, "validation")
            trainings = one.experiment.runs
            seeds = ",".join(str(run.seed) for run in trainings)
            name = render.stacked(one.experiment.name, f"{part}, seed {seeds}\n{trainings[0].parent[:8]}")
            rows.append([name, *(figure(figures[metric]).replace(" [", "\n[") for metric in metrics)])
        render.show(render.table(["plugin", *headings], rows, title=dataset, styles={"plugin": "bold"}, whole=headings))
    render.show(INTERVALS)
