"""Experiments as rows: for the terminal, as JSON, or as a table for a Markdown file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pneumobench.cli.tables import cell
from pneumobench.evidence import evaluation
from pneumobench.evidence.evaluation import Estimate
from pneumobench.runs import Experiment

COLUMNS = {
    "accuracy_at_0.5": "accuracy at 0.5",
    "accuracy": "accuracy at the threshold",
    "auroc": "AUROC",
    "sensitivity_at_0.5": "sensitivity at 0.5",
    "specificity_at_0.5": "specificity at 0.5",
    "sensitivity": "sensitivity at the threshold",
    "specificity": "specificity at the threshold",
}
SHOWN = ("accuracy_at_0.5", "accuracy", "auroc")  # where there are eighty columns


@dataclass(frozen=True)
class Row:
    """An experiment with its figures on validation and, where they were opened, on the test images."""

    experiment: Experiment
    validation: dict[str, Estimate]
    test: dict[str, Estimate] | None

    @property
    def seconds(self) -> float:
        """Mean seconds of one training."""
        return float(np.mean([run.metrics["training_seconds"] for run in self.experiment.runs]))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        one = self.experiment
        return {
            "plugin": one.plugin,
            "run_ids": [run.run_id for run in one.runs],
            "seeds": [run.seed for run in one.runs],
            "dataset": one.tags["dataset"],
            "fingerprint": one.tags["fingerprint"],
            "split": one.tags["split"],
            "folds": int(one.tags.get("folds", 0)) or None,
            "limit": int(one.tags.get("limit", 0)) or None,
            "knobs": dict(one.runs[0].params),
            "thresholds": [run.metrics["threshold"] for run in one.runs],
            "training_seconds": self.seconds,
            "looks": [run.looks for run in one.runs],
            "validation": {name: estimate.as_dict() for name, estimate in self.validation.items()},
            "test": self.test and {name: estimate.as_dict() for name, estimate in self.test.items()},
            "commands": sorted({run.tags["command"] for run in one.runs}),
        }


def rows(experiments: Sequence[Experiment]) -> list[Row]:
    """Every figure computed again from the stored predictions."""
    return [
        Row(
            one,
            evaluation.evaluate(one.predictions("validation")),
            evaluation.evaluate(one.predictions("test")) if one.opened_test else None,
        )
        for one in experiments
    ]


def show(found: Sequence[Row], *, as_json: bool, markdown: bool) -> None:
    """Print rows to standard output."""
    if as_json:
        print(json.dumps({"experiments": [row.as_dict() for row in found]}, indent=2))
    elif markdown:
        print("\n".join(in_markdown(found)))
    else:
        _print(found)


def in_markdown(found: Sequence[Row]) -> list[str]:
    """The lines of a table of test figures, the highest AUROC first; rows without test figures are left out."""
    headings = ["plugin", "seeds", *COLUMNS.values(), "validation AUROC", "seconds a training"]
    lines = [f"| {' | '.join(headings)} |", f"| {' | '.join('---' for _ in headings)} |"]
    scored = [(row, row.test) for row in found if row.test]
    for row, test in sorted(scored, key=lambda pair: -pair[1]["auroc"].value):
        changed = row.experiment.tags.get("set")
        name = f"{row.experiment.plugin} ({changed})" if changed else row.experiment.plugin
        cells = [name, str(len(row.experiment.runs)), *(cell(test[metric]) for metric in COLUMNS)]
        cells += [cell(row.validation["auroc"]), f"{row.seconds:,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _print(found: Sequence[Row]) -> None:
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    table.add_column("plugin", style="bold", no_wrap=True)
    for name in SHOWN:
        table.add_column(COLUMNS[name].replace(" at ", "\nat "), no_wrap=True)
    for row in found:
        figures, part = (row.test, "test") if row.test else (row.validation, "validation")
        one = row.experiment
        seeds = ",".join(str(run.seed) for run in one.runs)
        what = [f"{one.tags['dataset']}, {one.tags['split']}", f"{part}, seed {seeds}", one.runs[0].parent[:8]]
        what += [f"{name} {one.tags[name]}" for name in ("folds", "limit") if name in one.tags]
        cells = [cell(figures[name]).replace(" [", "\n[") for name in SHOWN]
        table.add_row(f"{escape(one.plugin)}\n[not bold dim]{escape(chr(10).join(what))}[/]", *cells)
    console.print(table)
    console.print(
        "In brackets 95 % intervals over patients (and seeds); ± is the standard deviation over seeds.",
        markup=False,
        soft_wrap=True,
    )
