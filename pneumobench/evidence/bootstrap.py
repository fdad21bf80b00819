"""Resampling patients: the same metrics as `metrics.point`, for thousands of weightings of the images at once."""

from __future__ import annotations

import numpy as np

from pneumobench.evidence import metrics

RESAMPLES = 2000
LEVEL = 0.95


def patient_weights(patients: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each image stands in each resample, (resamples, n) float32.

    A resample draws as many patients as there are, with replacement, and takes all images of each
    (the cluster bootstrap: Field and Welsh, J. R. Statist. Soc. B 69, 2007).
    """
    names, inverse = np.unique(patients, return_inverse=True)
    count = len(names)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return draws.astype(np.float32)[:, inverse]


def interval(values: np.ndarray) -> tuple[float, float]:
    """The percentile interval (2.5 %, 97.5 %) of resampled values (resamples,), undefined ones left out."""
    defined = values[np.isfinite(values)]
    if len(defined) < len(values) / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def unbiased(draws: np.ndarray, value: float) -> np.ndarray:
    """Draws (resamples,) moved so that their mean is the value, and none is below 0.

    For the ECE, which a resample overstates: repeated images leave its bins more uneven.
    """
    return np.maximum(draws - (np.nanmean(draws) - value), 0)


def over_seeds(draws: np.ndarray, seed: int = 0) -> np.ndarray:
    """The mean over seeds drawn with replacement, (resamples,), of draws by seed (resamples, seeds).

    The variance of n values drawn with replacement is (n - 1) / n of what n new seeds would show, a third too
    little for three of them; the deviations are widened by the root of its inverse.
    """
    count = draws.shape[1]
    if count == 1:
        return draws[:, 0]
    chosen = np.random.default_rng((seed, 1)).integers(count, size=draws.shape)
    mean = draws.mean(1)
    return mean + np.sqrt(count / (count - 1)) * (np.take_along_axis(draws, chosen, axis=1).mean(1) - mean)


def resampled(
    labels: np.ndarray, probabilities: np.ndarray, subtypes: np.ndarray, threshold: float, W: np.ndarray
) -> dict[str, np.ndarray]:
    """Every metric of `metrics.point`, (resamples,), for image weights W (resamples, n)."""
    figures = _at_threshold(labels, probabilities >= threshold, subtypes, W)
    half = _at_threshold(labels, probabilities >= 0.5, subtypes, W)
    figures |= of_probabilities(labels, probabilities, W)
    return figures | {name + metrics.HALF: values for name, values in half.items()}


def _at_threshold(
    labels: np.ndarray, predicted: np.ndarray, subtypes: np.ndarray, W: np.ndarray
) -> dict[str, np.ndarray]:
    y = labels == 1
    cells = np.stack([y & predicted, ~y & predicted, ~y & ~predicted, y & ~predicted], axis=1)
    TP, FP, TN, FN = (W @ cells.astype(np.float32)).astype(np.float64).T
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = {
            name: (W @ ((subtypes == name) & predicted)) / (W @ (subtypes == name).astype(np.float32))
            for name in ("bacterial", "viral")
        }
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
            "sensitivity_bacterial": recall["bacterial"],
            "sensitivity_viral": recall["viral"],
        }


def _f1(TP: np.ndarray, FP: np.ndarray, FN: np.ndarray) -> np.ndarray:
    total = 2 * TP + FP + FN
    return np.where(total == 0, 0.0, 2 * TP / np.where(total == 0, 1, total))


def of_probabilities(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics that need no threshold, (resamples,) each; nan where a resample lacks a class."""
    total = W.sum(1, dtype=np.float64)
    auroc, auprc = _curves(labels, probabilities, W)
    bins = np.eye(metrics.ECE_BINS)[metrics.calibration_bins(probabilities)]
    gaps = W @ (bins * (probabilities - labels)[:, None])
    return {
        "auroc": auroc,
        "auprc": auprc,
        "brier": W @ (probabilities - labels) ** 2 / total,
        "log_loss": W @ losses(labels, probabilities) / total,
        "ece": np.abs(gaps).sum(1) / total,
    }


def losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Each image's log-loss, (n,)."""
    clipped = np.clip(probabilities, metrics.EPSILON, 1 - metrics.EPSILON)
    return -np.where(labels == 1, np.log(clipped), np.log(1 - clipped))


def _curves(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUROC (Mann and Whitney's: ties count one half) and average precision, (resamples,) each."""
    order = np.argsort(-probabilities, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(probabilities[order]) != 0])
    W = W[:, order].astype(np.float64)
    positive = np.add.reduceat(W * (labels[order] == 1), starts, axis=1)  # (resamples, distinct values)
    negative = np.add.reduceat(W * (labels[order] == 0), starts, axis=1)
    P, N = positive.sum(1), negative.sum(1)
    above = np.cumsum(positive, 1)
    false = np.cumsum(negative, 1)
    seen = above + false
    precision = np.divide(above, seen, out=np.zeros_like(above), where=seen > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc = (negative * (above - positive / 2)).sum(1) / (P * N)
        return auroc, (positive * precision).sum(1) / P
