"""The figures of one model on one set of images, each from scikit-learn where it has it."""

from __future__ import annotations

import numpy as np

ECE_BINS = 10

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
RANGES = {"log_loss": (0.0, float("inf")), "mcc": (-1.0, 1.0), f"mcc{HALF}": (-1.0, 1.0)}  # others: 0 to 1
EPSILON = 1e-7  # log-loss clips here, about float32's resolution near 1


def point(labels: np.ndarray, probabilities: np.ndarray, subtypes: np.ndarray, threshold: float) -> dict[str, float]:
    """Every metric at the threshold, at 0.5 and of the probabilities; nan where a class or subtype is absent.

    Shapes (n,): labels 0 or 1, probabilities in [0, 1], subtypes as in `Dataset`.
    """
    figures = at_threshold(labels, probabilities >= threshold, subtypes)
    half = at_threshold(labels, probabilities >= 0.5, subtypes)
    return figures | of_probabilities(labels, probabilities) | {k + HALF: v for k, v in half.items()}


def at_threshold(labels: np.ndarray, predicted: np.ndarray, subtypes: np.ndarray) -> dict[str, float]:
    """The metrics of decisions: `predicted` (n,) is true where pneumonia is said."""
    from sklearn import metrics as m

    predicted = predicted.astype(labels.dtype)
    undefined = float("nan")
    recall = {
        name: float(predicted[subtypes == name].mean()) if np.any(subtypes == name) else undefined
        for name in ("bacterial", "viral")
    }
    of_classes = m.precision_recall_fscore_support(labels, predicted, labels=[0, 1], zero_division=undefined)
    (npv, ppv), (specificity, sensitivity), f1, support = of_classes
    f1 = np.nan_to_num(f1)
    figures = {
        "accuracy": m.accuracy_score(labels, predicted),
        "balanced_accuracy": (sensitivity + specificity) / 2,  # sklearn's ignores an absent class
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": ppv,
        "npv": npv,
        "f1_pneumonia": f1[1],
        "f1_normal": f1[0],
        "f1_weighted": np.average(f1, weights=support),
        "mcc": m.matthews_corrcoef(labels, predicted),
        "gmean": np.sqrt(sensitivity * specificity),
        "sensitivity_bacterial": recall["bacterial"],
        "sensitivity_viral": recall["viral"],
    }
    return {name: float(value) for name, value in figures.items()}


def of_probabilities(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """The metrics that need no threshold."""
    from sklearn import metrics as m

    clipped = np.clip(probabilities, EPSILON, 1 - EPSILON)
    both = len(np.unique(labels)) == 2
    return {
        "auroc": float(m.roc_auc_score(labels, probabilities)) if both else float("nan"),
        "auprc": float(m.average_precision_score(labels, probabilities)) if both else float("nan"),
        "brier": float(m.brier_score_loss(labels, probabilities, labels=[0, 1], pos_label=1)),
        "log_loss": float(m.log_loss(labels, clipped, labels=[0, 1])),
        "ece": expected_calibration_error(labels, probabilities),
    }


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean distance between stated and observed frequency of pneumonia over ten equal bins, weighted by size.

    Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    bins = calibration_bins(probabilities)
    gaps = np.bincount(bins, probabilities - labels, ECE_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def calibration_bins(probabilities: np.ndarray) -> np.ndarray:
    """The bin 0 to 9 of each probability; 1 belongs to the last."""
    return np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
