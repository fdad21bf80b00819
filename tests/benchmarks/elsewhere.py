"""RESULTS.md's table "At home and elsewhere", from exported runs that were judged at other sites.

    python tests/benchmarks/elsewhere.py [results/elsewhere]

A row a plugin, the highest AUROC within view at the first site first, and one for what the view alone tells: AUROC of
the projection AP as the sign of pneumonia.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pneumobench.cli import render
from pneumobench.evaluation import estimates, stratified
from pneumobench.evaluation.words import figure, number
from pneumobench.tracking import export, judged
from pneumobench.tracking.runs import experiments

SITES = ("nih-rsna-radiologists", "nih-chestxray8")  # the one with the better labels first
WITHIN = "view"


def table(folder: Path) -> list[str]:
    """The lines of the Markdown table."""
    chosen = {one.plugin: one for one in experiments(export.read(folder))}
    home = estimates.evaluate_all(
        {name: one.predictions("test") for name, one in chosen.items()}, only=("auroc", "accuracy")
    )
    there, alone = {}, ["the view alone (AP)", "", ""]
    for site in SITES:
        models = {name: one.predictions(judged.part(site)) for name, one in chosen.items()}
        there[site] = estimates.evaluate_all(models, only=("auroc", stratified.name(WITHIN)))
        first = next(iter(models.values()))[0]
        sign = stratified.alone(first.label, first.columns[WITHIN])
        alone += [number(sign[1]) if sign else "", ".500"]
    columns = [f"AUROC{what}, {site}" for site in SITES for what in ("", f" within {WITHIN}")]
    rows = [
        [
            name,
            *(figure(home[name][metric]) for metric in ("auroc", "accuracy")),
            *(figure(there[site][name][metric]) for site in SITES for metric in ("auroc", stratified.name(WITHIN))),
        ]
        for name in sorted(chosen, key=lambda name: -there[SITES[0]][name][stratified.name(WITHIN)].value)
    ]
    return render.markdown(["plugin", "AUROC at home", "accuracy at the threshold at home", *columns], [*rows, alone])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results/elsewhere"))
    print("\n".join(table(parser.parse_args().results)))


if __name__ == "__main__":
    main()
