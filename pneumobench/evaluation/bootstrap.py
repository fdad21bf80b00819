"""Resampling patients: the same metrics as `metrics.point`, for thousands of weightings of the images at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from pneumobench.evaluation import metrics

RESAMPLES = 2000
LEVEL = 0.95
BLOCK, LEAST = 2**21, 16  # weights, and resamples, at once: all would take 0.8 GB for 100,000 images

K = TypeVar("K", bound=Hashable)


def patient_weights(patients: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each image stands in each resample, (resamples, n) float32.

    A resample draws as many patients as there are, with replacement, and takes all images of each
    (the cluster bootstrap: Field and Welsh, J. R. Statist. Soc. B 69, 2007).
    """
    return np.concatenate(list(_blocks(patients, resamples, seed)))


def over_patients(
    figures: Callable[[np.ndarray], Mapping[K, np.ndarray]],
    patients: np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[K, np.ndarray]:
    """What `figures` makes of image weights, by the same names, (resamples,) each.

    It gets the rows of `patient_weights` a block at a time, so that memory does not grow with their number.
    """
    found = [figures(W) for W in _blocks(patients, resamples, seed)]
    return {name: np.concatenate([block[name] for block in found]) for name in found[0]}


def _blocks(patients: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    names, inverse = np.unique(patients, return_inverse=True)
    shares = np.full(len(names), 1 / len(names))
    rng = np.random.default_rng(seed)
    rows = max(LEAST, BLOCK // len(patients))
    for start in range(0, resamples, rows):
        draws = rng.multinomial(len(names), shares, size=min(rows, resamples - start))
        yield np.ascontiguousarray(draws.T, np.float32)[inverse].T  # an image's weights lie side by side


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
    auroc, auprc = curves(labels, probabilities, W)
    errors = probabilities - labels
    bins = np.eye(metrics.ECE_BINS)[metrics.calibration_bins(probabilities)]
    columns = np.column_stack([np.ones(len(labels)), errors**2, losses(labels, probabilities), bins * errors[:, None]])
    total, brier, log_loss, *gaps = (W @ columns.astype(np.float32)).astype(np.float64).T
    return {
        "auroc": auroc,
        "auprc": auprc,
        "brier": brier / total,
        "log_loss": log_loss / total,
        "ece": np.abs(gaps).sum(0) / total,
    }


def losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Each image's log-loss, (n,)."""
    clipped = np.clip(probabilities, metrics.EPSILON, 1 - metrics.EPSILON)
    return -np.where(labels == 1, np.log(clipped), np.log(1 - clipped))


def curves(labels: np.ndarray, probabilities: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUROC (Mann and Whitney's: ties count one half) and average precision, (resamples,) each.

    The images are passed from the most to the least probable, all resamples at once; nothing of their size
    is made, which is four times as fast as sums along an axis.
    """
    order = np.argsort(-probabilities, kind="stable")
    ties = np.split(order, np.flatnonzero(np.diff(probabilities[order])) + 1)
    rows = W.T
    true, false, work = np.zeros((3, len(W)), np.float32)  # whole numbers below 2**24, exact
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
    P = true.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return wins / (P * false), precision / P
