"""ROC and precision-recall of every plugin, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pneumobench.comparison.report import bands
from pneumobench.comparison.report.bands import Curve, Models
from pneumobench.comparison.report.svg import cut, of_figure
from pneumobench.evaluation.predictions import Predictions
from pneumobench.utils.drawing import Drawing

BANDED = 4  # plugins with a band at most: more hide each other
GRID = np.linspace(0, 1, 101)


def draw(models: Models, reference: str, W: np.ndarray) -> dict[str, tuple[str, str]]:
    """Caption and SVG by name, of `figures`."""
    drawn = figures(models, reference, W)
    return {name: (caption, of_figure(one, caption, bbox_inches="tight")) for name, (caption, one) in drawn.items()}


def figures(models: Models, reference: str, W: np.ndarray | None = None) -> dict[str, tuple[str, Drawing]]:
    """Caption and figure by name: the mean of a plugin's seeds, with 95 % bands from resampled seeds and patients.

    Of many models, the best first, the reference and the first few have bands. W are the patients' resamples.
    """
    import matplotlib

    W = bands.weights(models) if W is None else W
    colours = _colours(models, reference)
    chosen = list(models)
    band = "; bands hold 95 % of resampled patients and seeds"
    if len(chosen) > BANDED:
        chosen = [reference, *(name for name in models if name != reference)][:BANDED]
        band += f" (of {reference} and the first {BANDED - 1})"

    def banded(curve: Curve) -> Callable[[Any], None]:
        return lambda axes: _banded(axes, models, chosen, colours, curve, W)

    drawings: dict[str, tuple[str, str, str, Callable[[Any], None]]] = {
        "roc": (f"ROC{band}", "1 - specificity", "sensitivity", banded(roc)),
        "precision_recall": ("Precision and recall; bands as before", "recall", "precision", banded(precision)),
    }
    pictures = {}
    with matplotlib.rc_context(
        {"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}
    ):
        for name, (caption, x, y, drawing) in drawings.items():
            figure = Drawing(figsize=(4.6, 4.2), label=caption)
            axes = figure.subplots()
            drawing(axes)
            axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
            axes.legend(fontsize=6.5, loc="lower right")
            pictures[name] = (caption, figure)
    return pictures


def roc(model: Predictions, W: np.ndarray) -> np.ndarray:
    """Sensitivity at each 1 - specificity of GRID, (resamples, 101), for image weights W (resamples, n)."""
    true, false = _counts(model, W)
    return np.array([np.interp(GRID, f / f[-1], t / t[-1]) for t, f in zip(true, false, strict=True)])


def precision(model: Predictions, W: np.ndarray) -> np.ndarray:
    """Precision at each recall of GRID, (resamples, 101)."""
    true, false = _counts(model, W)
    stated = true / np.maximum(true + false, 1)
    stated[:, 0] = 1  # as scikit-learn's curve begins
    drawn = np.array([np.interp(GRID, t / t[-1], s) for t, s in zip(true, stated, strict=True)])
    drawn[:, 0] = 1  # at recall 0 the first image alone would decide
    return drawn


def _counts(model: Predictions, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and false positives (resamples, distinct probabilities + 1), from no image called positive to all."""
    order = np.argsort(-model.probability, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(model.probability[order]) != 0, True])
    ordered, ill = W[:, order], model.label[order] == 1
    true, false = (np.cumsum(ordered * mask, axis=1)[:, last] for mask in (ill, ~ill))
    return np.pad(true, ((0, 0), (1, 0))), np.pad(false, ((0, 0), (1, 0)))


def _banded(
    axes: Any, models: Models, chosen: Sequence[str], colours: Mapping[str, Any], curve: Curve, W: np.ndarray
) -> None:
    for name, own in models.items():
        mean = bands.mean(own, curve)
        axes.plot(GRID, mean, color=colours[name], lw=1.5 if name in chosen else 0.9, label=cut(name))
        if name in chosen:
            _, low, high = bands.of(own, curve, W)
            axes.fill_between(GRID, low, high, color=colours[name], alpha=0.18, lw=0)


def _colours(models: Models, reference: str) -> dict[str, Any]:
    """A colour for each model; the reference is black."""
    import matplotlib

    others = [name for name in models if name != reference]
    every = matplotlib.colormaps["tab10" if len(others) <= 10 else "tab20"].colors  # type: ignore[attr-defined]
    return {reference: "black"} | {name: every[i % len(every)] for i, name in enumerate(others)}
