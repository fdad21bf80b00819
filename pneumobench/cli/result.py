"""A run's result as a table with remarks, or as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pneumobench.cli import render
from pneumobench.evaluation.labels import FREE, METRICS, label
from pneumobench.evaluation.metrics import HALF
from pneumobench.evaluation.words import UNDEFINED, figure, number

if TYPE_CHECKING:
    from pneumobench.experiment.result import Result

SHOWN_OF_SITE = ("auroc", "sensitivity", "specificity")
HEADINGS = ("", "at the threshold", "at 0.5")


def show_result(result: Result, *, as_json: bool) -> None:
    """Print a result to standard output."""
    if as_json:
        render.print_json(result)
    else:
        render.show(_table(result), *remarks(result))


def _table(result: Result) -> render.Grid:
    part = "test" if result.test else "validation"
    figures = result.test or result.validation
    total = sum(result.counts[part].values())
    divisions = len({run.split_seed for run in result.runs})
    on = f" on {divisions} divisions" if divisions > 1 else ""
    seeds = f", mean of {len(result.seeds)} seed{'s' * (len(result.seeds) > 1)}{on}" if len(result.runs) > 1 else ""
    if result.folds:
        seeds = f", mean of {result.folds} folds' models" if part == "test" else f", held out in {result.folds} folds"
    at_threshold = [name for name in METRICS if name not in FREE]
    thresholded = [(label(name), figure(figures[name]), figure(figures[name + HALF])) for name in at_threshold]
    rows: list[tuple[str, str, str] | None] = [
        *(row for row in thresholded if row[1:] != (UNDEFINED, UNDEFINED)),  # subtypes that these images lack
        None,
        *((label(name), figure(figures[name]), "") for name in METRICS if name in FREE),
    ]
    if result.test:
        rows += [None, ("majority class, accuracy", figure(result.majority), "")]
        if result.published:
            rows.append(("published accuracy", "", figure(result.published)))
    title = f"{result.plugin} on {total} {part} images of {result.dataset}{seeds}"
    return render.table(HEADINGS, rows, title=title, whole=HEADINGS[1:])


def remarks(result: Result) -> list[str]:
    """What a reader has to know beside the figures."""
    several = len(result.runs) > 1
    spread = "± is the standard deviation over trainings. " if several else ""
    lines = [f"{spread}In brackets 95 % intervals over patients{' and trainings' if several else ''}."]
    thresholds = ", ".join(number(run.operating.threshold) for run in result.runs)
    lines.append(f"Threshold by {result.operating_point} on validation: {thresholds}.")
    ties = [run.operating.ties for run in result.runs if run.operating.is_tie]
    if ties:
        lines.append(
            f"The threshold is a tie: on validation {max(ties)} thresholds were equally good"
            f"{' in one training' if several else ''}, and the one nearest 0.5 was taken."
        )
    for site, figures in result.sites.items():
        lines.append(
            f"On {site}: " + ", ".join(f"{label(name)} {figure(figures[name])}" for name in SHOWN_OF_SITE) + "."
        )
    if result.calibration:
        lines += result.calibration.sentences()
    if result.dataset == "phantom":
        lines.append("These images are synthetic: nothing here is about patients.")
    if result.test is None:
        lines.append("The test images stayed closed. The threshold was chosen on these same validation images.")
    else:
        lines.append(f"Looks at these test images before this one: {result.looks} (`pneumobench ledger`).")
    speed = f"{result.images_per_second:.0f} images/s in training, {result.precision} on {result.device}"
    lines.append(f"{result.seconds['total']:.0f} s in all, {speed}; MLflow run {result.run_id}.")
    return lines
