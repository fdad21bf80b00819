"""ROC, precision-recall and reliability of every plugin, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pneumobench.comparison.report.svg import cut, of_figure
from pneumobench.evaluation import bootstrap
from pneumobench.evaluation.calibration import reliability
from pneumobench.evaluation.predictions import Predictions
from pneumobench.utils.drawing import Drawing

RESAMPLES = 200  # of a band, which is looked at and not read off
BANDED = 4  # plugins with a band at most: more hide each other
GRID = np.linspace(0, 1, 101)
Models = Mapping[str, Sequence[Predictions]]
Curve = Callable[[Predictions, np.ndarray], np.ndarray]


def draw(models: Models, reference: str) -> dict[str, tuple[str, str]]:
    """Caption and SVG by name, of `figures`."""
    drawn = figures(models, reference)
    return {name: (caption, of_figure(one, caption, bbox_inches="tight")) for name, (caption, one) in drawn.items()}


def figures(models: Models, reference: str) -> dict[str, tuple[str, Drawing]]:
    """Caption and figure by name: the mean of a plugin's seeds, with 95 % bands from resampled patients and seeds.

    Of many models, the best first, the reference and the first few have bands.
    """
    import matplotlib

    colours = _colours(models, reference)
    chosen = list(models)
    band = "; bands hold 95 % of resampled patients and seeds"
    if len(chosen) > BANDED:
        chosen = [reference, *(name for name in models if name != reference)][:BANDED]
        band += f" (of {reference} and the first {BANDED - 1})"

    def bands(curve: Curve) -> Callable[[Any], None]:
        return lambda axes: _banded(axes, models, chosen, colours, curve)

    drawings: dict[str, tuple[str, str, str, Callable[[Any], None]]] = {
        "roc": (f"ROC{band}", "1 - specificity", "sensitivity", bands(roc)),
        "precision_recall": ("Precision and recall; bands as before", "recall", "precision", bands(precision)),
        "reliability": (
            "Reliability: on the dotted line the predicted probability is the observed frequency",
            "predicted probability",
            "observed frequency",
            lambda axes: _reliable(axes, models, colours),
        ),
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
            axes.legend(fontsize=6.5, loc="upper left" if name == "reliability" else "lower right")
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


def _banded(axes: Any, models: Models, banded: Sequence[str], colours: Mapping[str, Any], curve: Curve) -> None:
    rng = np.random.default_rng(0)
    for name, own in models.items():
        colour = colours[name]
        whole = np.ones((1, len(own[0])), np.float32)
        mean = np.mean([curve(one, whole)[0] for one in own], axis=0)
        axes.plot(GRID, mean, color=colour, lw=1.5 if name in banded else 0.9, label=cut(name))
        if name not in banded:
            continue
        W = bootstrap.patient_weights(own[0].patient, RESAMPLES)
        W = W[(W @ own[0].label > 0) & (W @ (1 - own[0].label) > 0)]  # both classes are in them
        drawn = np.stack([curve(one, W) for one in own])  # (seeds, resamples, 101)
        chosen = rng.integers(len(own), size=(len(own), len(W)))
        low, high = np.quantile(drawn[chosen, np.arange(len(W))].mean(0), [0.025, 0.975], axis=0)
        axes.fill_between(GRID, low, high, color=colour, alpha=0.18, lw=0)


def _reliable(axes: Any, models: Models, colours: Mapping[str, Any]) -> None:
    for name, own in models.items():
        label = np.concatenate([one.label for one in own])
        curve = reliability(label, np.concatenate([one.probability for one in own]))
        axes.plot(curve.stated, curve.observed, "o-", color=colours[name], lw=1, ms=3, label=cut(name))
    axes.plot([0, 1], [0, 1], ":", color="#8a8a8a")


def _colours(models: Models, reference: str) -> dict[str, Any]:
    """A colour for each model; the reference is black."""
    import matplotlib

    others = [name for name in models if name != reference]
    every = matplotlib.colormaps["tab10" if len(others) <= 10 else "tab20"].colors  # type: ignore[attr-defined]
    return {reference: "black"} | {name: every[i % len(every)] for i, name in enumerate(others)}
