"""Every metric, for many weightings of the images at once; the figure of a set of images has weights of 1."""

from __future__ import annotations

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
        return curves(labels, probabilities, W)[name == "auprc"]
    if name in OF_PROBABILITIES:
        return of_errors(labels, probabilities, W)[name]
    base, half, _ = name.partition(HALF)
    return at_threshold(labels, probabilities >= (0.5 if half else threshold), subtypes, W)[base]


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
    auroc, auprc = curves(labels, probabilities, W)
    return {"auroc": auroc, "auprc": auprc} | of_errors(labels, probabilities, W)


def of_errors(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> Figures:
    """Brier score, log-loss and expected calibration error, (resamples,) each.

    The last is the mean distance between stated and observed frequency of pneumonia over ten equal bins, weighted
    by size (Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015).
    """
    errors = probabilities - labels
    bins = np.eye(calibration.ECE_BINS)[calibration.bins(probabilities)]
    columns = np.column_stack([np.ones(len(labels)), errors**2, _losses(labels, probabilities), bins * errors[:, None]])
    total, brier, log_loss, *gaps = (W @ columns.astype(W.dtype)).astype(np.float64).T
    return {"brier": brier / total, "log_loss": log_loss / total, "ece": np.abs(gaps).sum(0) / total}


def curves(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUROC (Mann and Whitney's: ties count one half) and average precision, (resamples,) each.

    The images are passed from the most to the least probable, all resamples at once; nothing of their size
    is made, which is four times as fast as sums along an axis.
    """
    order = np.argsort(-probabilities, kind="stable")
    ties = np.split(order, np.flatnonzero(np.diff(probabilities[order])) + 1)
    rows = W.T
    true, false, work = np.zeros((3, len(W)), W.dtype)  # whole numbers below 2**24, exact in float32
    wins, precision = np.zeros((2, len(W)))
    for images in ties:
        ill = images[labels[images] == 1]
        if len(ill) < len(images):
            well = rows[images[0]] if len(images) == 1 else rows[images[labels[images] == 0]].sum(0)
            false += well
            np.multiply(well, true, out=work)
            wins += work
        if len(ill):
            more = rows[ill[0]] if len(images) == 1 else rows[ill].sum(0)
            if len(ill) < len(images):
                wins += well * more / 2
            true += more
            np.maximum(np.add(true, false, out=work), 1, out=work)
            np.divide(true, work, out=work)
            work *= more
            precision += work
    P, N = true.astype(np.float64), false.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return wins / (P * N), np.where(N > 0, precision / P, np.nan)


def _f1(TP: np.ndarray, FP: np.ndarray, FN: np.ndarray) -> np.ndarray:
    total = 2 * TP + FP + FN
    return np.where(total == 0, 0.0, 2 * TP / np.where(total == 0, 1, total))


def _losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Each image's log-loss, (n,)."""
    clipped = np.clip(probabilities, EPSILON, 1 - EPSILON)
    return -np.where(labels == 1, np.log(clipped), np.log(1 - clipped))


def _first(figures: Figures) -> dict[str, float]:
    return {name: float(values[0]) for name, values in figures.items()}
