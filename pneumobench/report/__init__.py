"""A comparison as one HTML file that needs no network."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench import provenance
from pneumobench.comparing import Comparison
from pneumobench.errors import UsageError
from pneumobench.evidence import comparison
from pneumobench.evidence.evaluation import Estimate
from pneumobench.evidence.predictions import Predictions

SHOWN = ("auroc", "accuracy_at_0.5", "accuracy", "sensitivity", "specificity", "brier", "ece")
LABELS = {
    "auroc": "AUROC",
    "accuracy_at_0.5": "accuracy at 0.5",
    "accuracy": "accuracy at the threshold",
    "sensitivity": "sensitivity at the threshold",
    "specificity": "specificity at the threshold",
    "brier": "Brier score",
    "ece": "ECE",
}
WIDTH, LEFT, RIGHT, FIGURES, STEP = 760, 190, 540, 560, 26  # of the drawings, in pixels
HARDEST = 12
CLASSES = ("normal", "pneumonia")


def write(found: Comparison, path: Path, cell: Callable[[Estimate], str]) -> Path:
    """Write the report; `cell` puts a figure into words.

    Raises: UsageError where the file cannot be written. Nothing is left half-written.
    """
    text = render(found, cell)
    building = path.with_name(f".{path.name}.building")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building.write_text(text, encoding="utf-8")
        building.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def render(found: Comparison, cell: Callable[[Estimate], str]) -> str:
    """The report as HTML."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    models = {one.name: one.experiment.predictions("test") for one in found.standings}
    gaps = [one.gap("auroc") for one in found.standings]
    first = next(iter(models.values()))[0]
    commands = [run.tags["command"] for one in found.standings for run in one.experiment.runs]
    return environment.get_template("report.html.j2").render(
        found=found,
        made=provenance.now().replace("T", " ").replace("+00:00", " UTC"),
        metric=comparison.NAMES.get(found.metric, found.metric.replace("_", " ")),
        resamples=comparison.RESAMPLES,
        forest=_forest(found),
        seeds=_seeds(found, models),
        shown=SHOWN,
        labels=LABELS,
        cell=cell,
        gaps=(min(gaps), max(gaps)),
        plots=_plots(models),
        matrices=_matrices(models),
        hardest=_hardest(models),
        ill=float(first.label.mean()),
        looks=max(one.looks for one in found.standings),
        commands=list(dict.fromkeys([provenance.command(), *commands])),
    )


def _axis(low: float, high: float) -> tuple[Callable[[float], float], list[dict[str, Any]]]:
    """Where a value is drawn, and ticks at round values."""
    from matplotlib.ticker import MaxNLocator

    marks = [float(x) for x in MaxNLocator(5).tick_values(low, high)]
    low, high = min(low, marks[0]), max(high, marks[-1])

    def place(x: float) -> float:
        return round(LEFT + (x - low) / ((high - low) or 1) * (RIGHT - LEFT), 1)

    return place, [{"x": place(x), "text": f"{x:.2f}".replace("-0.00", "0.00")} for x in marks]


def _forest(found: Comparison) -> dict[str, Any]:
    place, ticks = _axis(min(0.0, *(p.low for p in found.pairs)), max(0.0, *(p.high for p in found.pairs)))
    rows = []
    for i, pair in enumerate(found.pairs):
        p = comparison.in_words(pair.p_corrected)
        rows.append(
            {
                "name": _cut(pair.plugin),
                "y": 18 + i * STEP,
                "low": place(pair.low),
                "value": place(pair.difference),
                "high": place(pair.high),
                "text": f"{pair.difference:+.3f} [{pair.low:+.3f}, {pair.high:+.3f}], p {p}",
            }
        )
    return _drawing(rows, ticks) | {"zero": place(0.0), "figures": FIGURES}


def _seeds(found: Comparison, models: dict[str, list[Predictions]]) -> dict[str, Any]:
    accuracies = {
        name: [float(((m.probability >= 0.5) == (m.label == 1)).mean()) for m in own] for name, own in models.items()
    }
    every = [x for own in accuracies.values() for x in own] + ([found.published.value] if found.published else [])
    place, ticks = _axis(min(every), max(every))
    rows = [
        {"name": _cut(name), "y": 18 + i * STEP, "dots": [place(x) for x in own]}
        for i, (name, own) in enumerate(accuracies.items())
    ]
    return _drawing(rows, ticks) | {"published": place(found.published.value) if found.published else None}


def _drawing(rows: list[dict[str, Any]], ticks: list[dict[str, Any]]) -> dict[str, Any]:
    height = 18 + len(rows) * STEP + 24
    return {"rows": rows, "ticks": ticks, "width": WIDTH, "height": height, "left": LEFT, "right": RIGHT}


def _cut(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:25]}…"


def _matrices(models: dict[str, list[Predictions]]) -> list[tuple[str, str, list[int]]]:
    found = []
    for name, (first, *_) in models.items():
        for at, said in (
            (f"at {first.operating.threshold:.2f}", first.predicted),
            ("at 0.5", first.probability >= 0.5),
        ):
            cells = [int(((first.label == truth) & (said == answer)).sum()) for truth in (0, 1) for answer in (0, 1)]
            found.append((name, at, cells))
    return found


def _hardest(models: dict[str, list[Predictions]]) -> list[dict[str, Any]]:
    """The images on which most plugins are wrong at 0.5, the most certainly wrong first."""
    said = np.array([np.mean([m.probability for m in own], axis=0) for own in models.values()])
    first = next(iter(models.values()))[0]
    wrong = ((said >= 0.5) != (first.label == 1)).sum(axis=0)
    mean = said.mean(axis=0)
    order = np.lexsort((-np.abs(mean - first.label), -wrong))[:HARDEST]
    return [
        {"image": first.image[i], "label": CLASSES[first.label[i]], "wrong": int(wrong[i]), "said": float(mean[i])}
        for i in order
        if wrong[i]
    ]


def _plots(models: dict[str, list[Predictions]]) -> list[tuple[str, str]]:
    """ROC, precision-recall and reliability of every plugin as SVG: the mean of its seeds, and their range."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import precision_recall_curve, roc_curve

    grid = np.linspace(0, 1, 201)
    colours = matplotlib.colormaps["tab10"].colors  # type: ignore[attr-defined]

    def roc(model: Predictions) -> np.ndarray:
        false, true, _ = roc_curve(model.label, model.probability)
        return np.interp(grid, false, true)

    def precision(model: Predictions) -> np.ndarray:
        precise, recall, _ = precision_recall_curve(model.label, model.probability)
        return np.interp(grid, recall[::-1], precise[::-1])

    def banded(axes: Any, curve: Callable[[Predictions], np.ndarray]) -> None:
        for (name, own), colour in zip(models.items(), [*colours] * 3, strict=False):
            curves = np.array([curve(one) for one in own])
            axes.plot(grid, curves.mean(0), color=colour, lw=1.3, label=_cut(name))
            if len(own) > 1:
                axes.fill_between(grid, curves.min(0), curves.max(0), color=colour, alpha=0.15, lw=0)

    def reliable(axes: Any) -> None:
        for (name, own), colour in zip(models.items(), [*colours] * 3, strict=False):
            label = np.concatenate([one.label for one in own])
            said = np.concatenate([one.probability for one in own])
            seen, stated = calibration_curve(label, said, n_bins=8)
            axes.plot(stated, seen, "o-", color=colour, lw=1, ms=3, label=_cut(name))
        axes.plot([0, 1], [0, 1], ":", color="#8a8a8a")

    drawings: Sequence[tuple[str, str, str, Callable[[Any], None]]] = (
        ("ROC; bands are the range over seeds", "1 - specificity", "sensitivity", lambda axes: banded(axes, roc)),
        ("Precision and recall; bands as before", "recall", "precision", lambda axes: banded(axes, precision)),
        ("Reliability: on the dotted line a stated probability is met", "stated", "seen", reliable),
    )
    found = []
    with plt.rc_context({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}):
        for caption, x, y, draw in drawings:
            figure, axes = plt.subplots(figsize=(4.6, 4.2))
            draw(axes)
            axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
            axes.legend(fontsize=6.5, loc="lower right")
            picture = io.StringIO()
            figure.savefig(picture, format="svg", bbox_inches="tight", metadata={"Date": None})
            plt.close(figure)
            found.append((caption, picture.getvalue().partition("<svg")[1] + picture.getvalue().partition("<svg")[2]))
    return found
