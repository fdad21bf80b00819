"""The plots of one result: ROC, precision-recall, reliability, confusion, training curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.data.dataset import CLASSES
from pneumobench.evaluation import metrics
from pneumobench.evaluation.calibration import reliability
from pneumobench.evaluation.predictions import Predictions
from pneumobench.utils.progress import Epoch

STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "figure.dpi": 120,
    "savefig.bbox": "tight",
}
BLUE, GREY = "#2a6f97", "#8a8a8a"


def save_all(
    folder: Path, title: str, scored: Mapping[str, Predictions], history: Mapping[str, Sequence[Epoch]]
) -> None:
    """Write the plots as PNG files. The keys of `scored` and `history` are legend labels: "seed 0", "fold 1"."""
    import matplotlib
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, Callable[[Any], None]] = {}
    if scored:
        drawings |= {
            "roc": lambda figure: _roc(figure, scored),
            "precision_recall": lambda figure: _precision_recall(figure, scored),
            "reliability": lambda figure: _reliability(figure, scored),
            "confusion": lambda figure: _confusion(figure, scored),
        }
    if any(history.values()):
        drawings["training"] = lambda figure: _training(figure, history)
    with matplotlib.rc_context(STYLE):
        for name, draw in drawings.items():
            wide = name in ("confusion", "training")
            figure = Figure(figsize=(9, 4) if wide else (5, 4.6))
            draw(figure)
            figure.suptitle(title, fontsize=10, color=GREY)
            figure.savefig(folder / f"{name}.png")


def _coloured(scored: Mapping[str, Predictions]) -> Iterator[tuple[str, Predictions, Any]]:
    """Name, predictions and colour of each model."""
    for (name, predictions), colour in zip(scored.items(), _colours(len(scored)), strict=True):
        yield name, predictions, colour


def _colours(count: int) -> list[Any]:
    import matplotlib

    return [BLUE] if count == 1 else list(matplotlib.colormaps["viridis"](np.linspace(0.1, 0.8, count)))


def _roc(figure: Any, scored: Mapping[str, Predictions]) -> None:
    from sklearn.metrics import roc_auc_score, roc_curve

    axes = figure.subplots()
    for name, p, colour in _coloured(scored):
        false, true, _ = roc_curve(p.label, p.probability)
        area = roc_auc_score(p.label, p.probability)
        axes.plot(false, true, color=colour, label=f"{name}: AUROC {area:.3f}")
        point = metrics.point_at_threshold(p.label, p.predicted, p.subtype)
        axes.plot(1 - point["specificity"], point["sensitivity"], "o", color=colour)
    axes.plot([0, 1], [0, 1], ":", color=GREY)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", title="ROC (dots: the operating points)")
    axes.legend(loc="lower right", fontsize=8)


def _precision_recall(figure: Any, scored: Mapping[str, Predictions]) -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    axes = figure.subplots()
    for name, p, colour in _coloured(scored):
        precision, recall, _ = precision_recall_curve(p.label, p.probability)
        area = average_precision_score(p.label, p.probability)
        axes.plot(recall, precision, color=colour, label=f"{name}: AUPRC {area:.3f}")
    share = next(iter(scored.values())).label.mean()
    axes.axhline(share, linestyle=":", color=GREY, label=f"prevalence of pneumonia: {share:.3f}")
    axes.set(xlabel="sensitivity (recall)", ylabel="PPV (precision)", title="precision-recall")
    axes.set_ylim(min(0.5, share - 0.05), 1.01)
    axes.legend(loc="lower left", fontsize=8)


def _reliability(figure: Any, scored: Mapping[str, Predictions]) -> None:
    axes = figure.subplots()
    for name, p, colour in _coloured(scored):
        curve = reliability(p.label, p.probability)
        error = metrics.point_of_probabilities(p.label, p.probability)["ece"]
        axes.plot(curve.stated, curve.observed, "-", color=colour, linewidth=1, label=f"{name}: ECE {error:.3f}")
        areas = 4 + 300 * curve.counts / curve.counts.sum()
        axes.scatter(curve.stated, curve.observed, s=areas, color=colour, alpha=0.6)
    axes.plot([0, 1], [0, 1], ":", color=GREY)
    axes.set(
        xlabel="predicted probability of pneumonia",
        ylabel="observed fraction with pneumonia",
        title="reliability (area: images in the bin)",
    )
    axes.legend(loc="upper left", fontsize=8)


def _confusion(figure: Any, scored: Mapping[str, Predictions]) -> None:
    """Counts at the chosen threshold and at 0.5, of the first seed."""
    from sklearn.metrics import confusion_matrix

    name, p = next(iter(scored.items()))
    of = f", {name}" if len(scored) > 1 else ""
    panels = [(f"at the chosen threshold, {p.operating.threshold:.3f}{of}", p.operating.threshold)]
    panels += [(f"at 0.5{of}", 0.5)]
    for axes, (title, threshold) in zip(figure.subplots(1, 2), panels, strict=True):
        counts = confusion_matrix(p.label, p.probability >= threshold, labels=[0, 1])
        shares = counts / counts.sum(1, keepdims=True)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row in range(2):
            for column in range(2):
                text = f"{counts[row, column]}\n{100 * shares[row, column]:.1f} %"
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, text, ha="center", va="center", color=colour)
        names = [name.lower() for name in CLASSES]
        axes.set(title=title, xlabel="predicted", ylabel="true", xticks=[0, 1], yticks=[0, 1])
        axes.set_xticklabels(names)
        axes.set_yticklabels(names, rotation=90, va="center")
        axes.grid(visible=False)


def _training(figure: Any, history: Mapping[str, Sequence[Epoch]]) -> None:
    left, right = figure.subplots(1, 2)
    for (name, epochs), colour in zip(history.items(), _colours(len(history)), strict=True):
        numbers = [e.number for e in epochs]
        left.plot(numbers, [e.loss for e in epochs], "o-", color=colour, label=f"{name}, training")
        validation = [e.val_log_loss for e in epochs]
        left.plot(numbers, validation, "o--", color=colour, label=f"{name}, validation")
        right.plot(numbers, [e.val_auroc for e in epochs], "o-", color=colour, label=name)
    left.set(xlabel="epoch", title="loss")
    right.set(xlabel="epoch", title="validation AUROC")
    for axes in (left, right):
        axes.legend(fontsize=8)
        axes.xaxis.get_major_locator().set_params(integer=True)
