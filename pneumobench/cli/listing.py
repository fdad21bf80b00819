"""Experiments as rows: for the terminal, as JSON, or as a table for a Markdown file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pneumobench.cli.tables import cell
from pneumobench.evaluation import estimates
from pneumobench.evaluation.estimates import Estimate
from pneumobench.tracking.runs import Experiment

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

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        one = self.experiment
        return {
            "plugin": one.plugin,
            "name": one.name,
            "run_ids": [run.run_id for run in one.runs],
            "seeds": [run.seed for run in one.runs],
            "dataset": one.tags["dataset"],
            "fingerprint": one.tags["fingerprint"],
            "split": one.tags["split"],
            "split_seed": int(one.tags["split_seed"]),
            "operating_point": one.tags["operating_point"],
            "folds": int(one.tags.get("folds", 0)) or None,
            "limit": int(one.tags.get("limit", 0)) or None,
            "knobs": dict(one.runs[0].params),
            "thresholds": [run.metrics["threshold"] for run in one.runs],
            "training_seconds": one.seconds,
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
            estimates.evaluate(one.predictions("validation")),
            estimates.evaluate(one.predictions("test")) if one.opened_test else None,
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
    """The lines of a table of test figures for each dataset, the highest AUROC first; unscored rows are left out."""
    lines: list[str] = []
    for dataset, of_dataset in by_dataset([row for row in found if row.test]):
        headings = [dataset, "seeds", *COLUMNS.values(), "validation AUROC", "seconds a training"]
        lines += ["", *(f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings)))]
        scored = [(row, row.test) for row in of_dataset if row.test]
        for row, test in sorted(scored, key=lambda pair: -pair[1]["auroc"].value):
            cells = [row.experiment.name, str(len(row.experiment.runs)), *(cell(test[metric]) for metric in COLUMNS)]
            cells += [cell(row.validation["auroc"]), f"{row.experiment.seconds:,.0f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return lines[1:]


def by_dataset(found: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Rows of one set of images together, under its name: figures on different images stand in no one table."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        tags = row.experiment.tags
        groups.setdefault((tags["fingerprint"], tags.get("limit", "")), []).append(row)
    return [
        (f"{of_group[0].experiment.tags['dataset']} {fingerprint[:8]}", of_group)
        for (fingerprint, _), of_group in groups.items()
    ]


def _print(found: Sequence[Row]) -> None:
    console = Console(highlight=False)
    for dataset, of_dataset in by_dataset(found):
        table = Table(
            title=escape(dataset), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
        )
        table.add_column("plugin", style="bold", overflow="fold")
        for name in SHOWN:
            table.add_column(COLUMNS[name].replace(" at ", "\nat "), no_wrap=True)
        for row in of_dataset:
            figures, part = (row.test, "test") if row.test else (row.validation, "validation")
            runs = row.experiment.runs
            what = f"{part}, seed {','.join(str(run.seed) for run in runs)}\n{runs[0].parent[:8]}"
            cells = [cell(figures[name]).replace(" [", "\n[") for name in SHOWN]
            table.add_row(f"{escape(row.experiment.name)}\n[not bold dim]{escape(what)}[/]", *cells)
        console.print(table)
    console.print(
        "In brackets 95 % intervals over patients (and seeds); ± is the standard deviation over seeds.",
        markup=False,
        soft_wrap=True,
    )
