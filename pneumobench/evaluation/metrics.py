"""Every metric, for many weightings of the images at once; the figure of a set of images has weights of 1."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from pneumobench.evaluation import calibration

# what needs a threshold; every name also exists with the suffix "_at_0.5"
AT_THRESHOLD = (
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "f1_pneumonia",
    "f1_normal",
    "f1_weighted",
    "mcc",
    "gmean",
    "sensitivity_bacterial",
    "sensitivity_viral",
)
OF_PROBABILITIES = ("auroc", "auprc", "brier", "log_loss", "ece")
HALF = "_at_0.5"
EPSILON = 1e-7  # log-loss clips here, about float32's resolution near 1

Figures = dict[str, np.ndarray]  # (resamples,) by metric


def point(labels: np.ndarray, probabilities: np.ndarray, subtypes: np.ndarray, threshold: float) -> dict[str, float]:
    """Every metric at the threshold, at 0.5 and of the probabilities; nan where a class or subtype is absent.

    Shapes (n,): labels 0 or 1, probabilities in [0, 1], subtypes as in `Dataset`.
    """
    return _first(every(labels, probabilities, subtypes, threshold, whole(len(labels))))


def point_at_threshold(labels: np.ndarray, predicted: np.ndarray, subtypes: np.ndarray) -> dict[str, float]:
    """The metrics of decisions (n,), true where the model says pneumonia."""
    return _first(at_threshold(labels, predicted, subtypes, whole(len(labels))))


def point_of_probabilities(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """The metrics that need no threshold."""
    return _first(of_probabilities(labels, probabilities, whole(len(labels))))


def whole(images: int) -> np.ndarray:
    """The weights (1, images) float64 of the images as they are."""
    return np.ones((1, images))


def every(
    labels: np.ndarray, probabilities: np.ndarray, subtypes: np.ndarray, threshold: float, W: np.ndarray
) -> Figures:
    """Every metric of `point` for image weights W (resamples, n), computed in W's precision."""
    figures = at_threshold(labels, probabilities >= threshold, subtypes, W)
    half = at_threshold(labels, probabilities >= 0.5, subtypes, W)
    figures |= of_probabilities(labels, probabilities, W)
    return figures | {name + HALF: values for name, values in half.items()}


def one(
    name: str, labels: np.ndarray, probabilities: np.ndarray, subtypes: np.ndarray, threshold: float, W: np.ndarray
) -> np.ndarray:
    """The metric of this name alone, (resamples,), for image weights W (resamples, n)."""
    if name in ("auroc", "auprc"):
        return (auroc if name == "auroc" else average_precision)(labels, probabilities, W)
    if name in OF_PROBABILITIES:
        return of_errors(labels, probabilities, W)[name]
    base, half, _ = name.partition(HALF)
    return at_threshold(labels, probabilities >= (0.5 if half else threshold), subtypes, W)[base]


def denominator(
    name: str, labels: np.ndarray, probabilities: np.ndarray, subtypes: np.ndarray, threshold: float
) -> np.ndarray:
    """Which images (n,) bool a metric is about: of a proportion those that it divides by, of others all."""
    base, half, _ = name.partition(HALF)
    predicted = probabilities >= (0.5 if half else threshold)
    return {
        "sensitivity": labels == 1,
        "specificity": labels == 0,
        "sensitivity_bacterial": subtypes == "bacterial",
        "sensitivity_viral": subtypes == "viral",
        "ppv": predicted,
        "npv": ~predicted,
    }.get(base, np.ones(len(labels), bool))


def at_threshold(labels: np.ndarray, predicted: np.ndarray, subtypes: np.ndarray, W: np.ndarray) -> Figures:
    """The metrics of decisions: `predicted` (n,) is true where the model says pneumonia."""
    y, predicted = labels == 1, predicted.astype(bool)
    cells = [y & predicted, ~y & predicted, ~y & ~predicted, y & ~predicted]
    for subtype in ("bacterial", "viral"):
        cells += [(subtypes == subtype) & predicted, subtypes == subtype]
    TP, FP, TN, FN, *of_subtypes = (W @ np.column_stack(cells).astype(W.dtype)).astype(np.float64).T
    bacterial, all_bacterial, viral, all_viral = of_subtypes
    with np.errstate(invalid="ignore", divide="ignore"):
        P, N = TP + FN, TN + FP
        sensitivity, specificity = TP / P, TN / N
        f1, f1_normal = _f1(TP, FP, FN), _f1(TN, FN, FP)
        norm = np.sqrt((TP + FP) * P * N * (TN + FN))
        return {
            "accuracy": (TP + TN) / (P + N),
            "balanced_accuracy": (sensitivity + specificity) / 2,
            "sensitivity": sensitivity,
            "specificity": specificity,
            "ppv": TP / (TP + FP),
            "npv": TN / (TN + FN),
            "f1_pneumonia": f1,
            "f1_normal": f1_normal,
            "f1_weighted": (P * f1 + N * f1_normal) / (P + N),
            "mcc": np.where(norm == 0, 0.0, (TP * TN - FP * FN) / np.where(norm == 0, 1, norm)),
            "gmean": np.sqrt(sensitivity * specificity),
            "sensitivity_bacterial": bacterial / all_bacterial,
            "sensitivity_viral": viral / all_viral,
        }


def of_probabilities(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> Figures:
    """The metrics that need no threshold, (resamples,) each; nan where a resample lacks a class."""
    sides = _classes(labels, probabilities, W)
    return {"auroc": _auroc(*sides), "auprc": _average_precision(*sides)} | of_errors(labels, probabilities, W)


def of_errors(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> Figures:
    """Brier score, log-loss and expected calibration error, (resamples,) each.

    The last is the mean distance between stated and observed frequency of pneumonia over ten equal bins, weighted
    by size (Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015).
    """
    columns = np.column_stack([np.ones(len(labels)), (probabilities - labels) ** 2, _losses(labels, probabilities)])
    total, brier, log_loss = (W @ columns.astype(W.dtype)).astype(np.float64).T
    ece = np.abs(gaps(labels, probabilities, W)).sum(1)
    return {"brier": brier / total, "log_loss": log_loss / total, "ece": ece}


def gaps(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Stated less observed pneumonia in each bin, as shares of all images, (resamples, ECE_BINS)."""
    bins = np.eye(calibration.ECE_BINS)[calibration.bins(probabilities)]
    sums = W @ (bins * (probabilities - labels)[:, None]).astype(W.dtype)
    return sums.astype(np.float64) / W.sum(1, dtype=np.float64)[:, None]


def auroc(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Area under the ROC curve (Mann and Whitney's: ties count one half), (resamples,)."""
    return _auroc(*_classes(labels, probabilities, W))


def average_precision(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Area under the precision-recall curve by its steps, (resamples,); nan where a class is absent."""
    return _average_precision(*_classes(labels, probabilities, W))


def _auroc(ill: _Class, well: _Class) -> np.ndarray:
    above, at_least = (ill.before(well.probabilities, side) for side in ("right", "left"))
    wins = ill.sums[above]
    if not np.array_equal(above, at_least):  # there are ties
        wins += ill.sums[at_least]
        wins /= 2
    wins *= well.weights
    pairs = _totals(ill) * _totals(well)
    with np.errstate(invalid="ignore", divide="ignore"):
        return wins.sum(0, dtype=np.float64) / pairs


def _average_precision(ill: _Class, well: _Class) -> np.ndarray:
    true = ill.sums[ill.before(ill.probabilities, "left")]
    said = well.sums[well.before(ill.probabilities, "left")]
    said += true
    np.divide(true, np.maximum(said, 1, out=said), out=true)
    true *= ill.weights
    P, N = _totals(ill), _totals(well)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(N > 0, true.sum(0, dtype=np.float64) / P, np.nan)


class _Class(NamedTuple):
    """A class's images from the most to the least probable: weights (m, resamples), their sums from the first on."""

    probabilities: np.ndarray
    weights: np.ndarray
    sums: np.ndarray  # (m + 1, resamples), whole numbers below 2**24, exact in float32

    def before(self, of: np.ndarray, side: Literal["left", "right"]) -> np.ndarray:
        """How many images are more probable than each ("right"), or at least as probable ("left")."""
        return len(self.probabilities) - np.searchsorted(self.probabilities[::-1], of, side)


def _classes(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> tuple[_Class, _Class]:
    order = np.argsort(-probabilities, kind="stable")
    classes = []
    for label in (1, 0):
        own = order[labels[order] == label]
        weights = W.T[own]
        sums = np.zeros((len(own) + 1, len(W)), W.dtype)
        np.cumsum(weights, axis=0, out=sums[1:])
        classes.append(_Class(probabilities[own], weights, sums))
    return classes[0], classes[1]


def _totals(side: _Class) -> np.ndarray:
    return side.sums[-1].astype(np.float64)


def _f1(TP: np.ndarray, FP: np.ndarray, FN: np.ndarray) -> np.ndarray:
    total = 2 * TP + FP + FN
    return np.where(total == 0, 0.0, 2 * TP / np.where(total == 0, 1, total))


def _losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Each image's log-loss, (n,)."""
    clipped = np.clip(probabilities, EPSILON, 1 - EPSILON)
    return -np.where(labels == 1, np.log(clipped), np.log(1 - clipped))


def _first(figures: Figures) -> dict[str, float]:
    return {name: float(values[0]) for name, values in figures.items()}
