"""RESULTS.md's table "On altered images", from exported runs that `stress` was tried on.

    python tests/benchmarks/altered.py [results/altered]

A column a plugin, the highest mean AUROC over all corruptions first; a row for each kind of corruption (the mean of its
three severities) and for each control without lungs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pneumobench.cli import render
from pneumobench.comparison.compare import compare
from pneumobench.comparison.report import heatmap
from pneumobench.evaluation.words import number
from pneumobench.tracking import export


def read(folder: Path) -> heatmap.HeatMap:
    """What stress took from the exported models."""
    (home,) = heatmap.of(compare(export.read(folder)))
    return home


def table(home: heatmap.HeatMap) -> list[str]:
    """The lines of the Markdown table."""
    rows = [
        ["as they are", *(cell.text for cell in home.clean)],
        ["mean of all corruptions", *(cell.text for cell in home.mean)],
        *([kind, *(cell.text for cell in cells)] for kind, cells in home.kinds.items()),
        *(
            [f"{control} (mean grey alone {number(home.floors[control])})", *(cell.text for cell in cells)]
            for control, cells in home.controls.items()
        ),
    ]
    return render.markdown(["AUROC", *home.plugins], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results/altered"))
    home = read(parser.parse_args().results)
    print("\n".join([*table(home), "", *(f"- {line}." for line in home.sentences)]))


if __name__ == "__main__":
    main()
