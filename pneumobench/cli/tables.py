"""Results as tables, or as one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from pneumobench.evaluation.estimates import Estimate
    from pneumobench.experiment.result import Result

LABELS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "sensitivity": "sensitivity (pneumonia)",
    "sensitivity_bacterial": "  of bacterial",
    "sensitivity_viral": "  of viral",
    "specificity": "specificity (normal)",
    "ppv": "PPV",
    "npv": "NPV",
    "f1_pneumonia": "F1 of pneumonia",
    "f1_normal": "F1 of normal",
    "f1_weighted": "F1, weighted",
    "mcc": "MCC",
    "gmean": "G-mean",
}
FREE = {"auroc": "AUROC", "auprc": "AUPRC", "brier": "Brier score", "log_loss": "log-loss", "ece": "ECE"}


def show_result(result: Result, *, as_json: bool) -> None:
    """Print a result to standard output."""
    if as_json:
        print(json.dumps(result.as_dict(), indent=2))
        return
    console = Console(highlight=False)
    part = "test" if result.test else "validation"
    figures = result.test or result.validation
    total = sum(result.counts[part].values())
    seeds = f", mean of {len(result.seeds)} seeds" if len(result.seeds) > 1 else ""
    if result.folds:
        seeds = f", mean of {result.folds} folds' models" if part == "test" else f", held out in {result.folds} folds"
    table = Table(
        title=escape(f"{result.plugin} on {total} {part} images of {result.dataset}{seeds}"),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        title_style="bold",
    )
    for heading in ("", "at the threshold", "at 0.5"):
        table.add_column(heading, no_wrap=True)
    for name, label in LABELS.items():
        table.add_row(label, cell(figures[name]), cell(figures[f"{name}_at_0.5"]))
    table.add_section()
    for name, label in FREE.items():
        table.add_row(label, cell(figures[name]))
    if result.test:
        table.add_section()
        table.add_row("majority class, accuracy", cell(result.majority))
        if result.dataset != "phantom":
            table.add_row("published accuracy", "", cell(result.published))
    console.print(table)
    for line in remarks(result):
        console.print(line, markup=False, soft_wrap=True)


def cell(estimate: Estimate) -> str:
    """ ".912 [.887, .934]", with the standard deviation over seeds where there is one."""
    if estimate.value != estimate.value:
        return "-"
    text = number(estimate.value)
    if estimate.sd is not None:
        text += f" ± {number(estimate.sd)}"
    if estimate.low == estimate.low:
        text += f" [{number(estimate.low)}, {number(estimate.high)}]"
    return text


def number(value: float) -> str:
    """Four characters from 0 to 1: ".912", "1.00"."""
    return f"{value:.2f}" if value >= 0.9995 else f"{value:.3f}".removeprefix("0")


def remarks(result: Result) -> list[str]:
    """What a reader has to know beside the figures."""
    several = len(result.seeds) > 1
    spread = "± is the standard deviation over seeds. " if several else ""
    lines = [f"{spread}In brackets 95 % intervals, from a bootstrap over patients{' and seeds' if several else ''}."]
    thresholds = ", ".join(number(run.operating.threshold) for run in result.runs)
    lines.append(f"Threshold by {result.operating_point} on validation: {thresholds}.")
    ties = [run.operating.ties for run in result.runs if run.operating.is_tie]
    if ties:
        lines.append(
            f"The threshold is a tie: on validation {max(ties)} thresholds were equally good"
            f"{' in one seed' if several else ''}, and the one nearest 0.5 was taken."
        )
    if result.dataset == "phantom":
        lines.append("These images are synthetic: nothing here is about patients.")
    if result.test is None:
        lines.append("The test images stayed closed. The threshold was chosen on these same validation images.")
    else:
        lines.append(f"Looks at these test images before this one: {result.looks} (`pneumobench ledger`).")
    speed = f"{result.images_per_second:.0f} images/s in training, {result.precision} on {result.device}"
    lines.append(f"{result.seconds['total']:.0f} s in all, {speed}; MLflow run {result.run_id}.")
    return lines
