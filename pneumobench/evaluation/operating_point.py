"""The threshold at which a probability becomes a diagnosis, chosen on validation and never on test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pneumobench.errors import UsageError


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold (a probability at or above it is pneumonia), the rule that chose it, and how firm that was.

    `ties` counts the thresholds that the rule likes equally well on validation.
    """

    threshold: float
    rule: str
    ties: int = 1

    @property
    def is_tie(self) -> bool:
        """Whether validation could not tell this threshold from others."""
        return self.ties > 1


def check_rule(rule: str) -> str:
    """The rule as it is. Raises: UsageError unless it is youden, sensitivity=S or a threshold in (0, 1)."""
    if rule == "youden":
        return rule
    name, _, value = rule.partition("=")
    number = value if name == "sensitivity" else rule
    try:
        if 0 < float(number) < 1 or (name == "sensitivity" and float(number) == 1):
            return rule
    except ValueError:
        pass
    raise UsageError(
        f"--operating-point is youden, sensitivity=S with S in (0, 1], or a threshold in (0, 1), not '{rule}'"
    )


def choose(rule: str, probabilities: np.ndarray, labels: np.ndarray) -> OperatingPoint:
    """The operating point that a rule gives for validation's probabilities (n,) and labels (n,).

    `youden` takes the largest sensitivity + specificity - 1 (Youden, Cancer 3, 1950). `sensitivity=S` takes
    the best specificity with at least that sensitivity, and of those the best sensitivity. Candidates lie
    midway between neighbouring probabilities, so that the choice does not hang on one image's exact value;
    among equals the one nearest to 0.5 is taken.
    """
    thresholds, ties = choose_all(rule, probabilities, labels, np.ones((1, len(labels))))
    return OperatingPoint(float(thresholds[0]), rule, int(ties[0]))


def choose_all(
    rule: str, probabilities: np.ndarray, labels: np.ndarray, W: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The thresholds that a rule gives for image weights W (resamples, n), and how many it likes equally well.

    (resamples,) each; nan where a resample lacks a class. The candidates are those of all images.
    """
    check_rule(rule)
    if rule != "youden" and not rule.startswith("sensitivity="):
        return np.full(len(W), float(rule)), np.ones(len(W), int)
    values, of = np.unique(probabilities, return_inverse=True)
    between = (values[:-1] + values[1:]) / 2
    between = np.where(between > values[:-1], between, values[1:])  # neighbours with no number between them
    candidates = np.concatenate([[values[0] / 2], between, [(values[-1] + 1) / 2]])
    distance = np.abs(candidates - 0.5)
    order = np.argsort(of, kind="stable")
    below = np.r_[0, np.cumsum(np.bincount(of, minlength=len(values)))]  # images under each candidate
    thresholds, ties = np.empty(len(W)), np.empty(len(W), int)
    rows = max(1, 2**21 // len(labels))
    for start in range(0, len(W), rows):
        weights = W[start : start + rows, order].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            sensitivity, specificity = (_under(weights * (labels[order] == side), below) for side in (1, 0))
            sensitivity = 1 - sensitivity
        if rule == "youden":
            J = sensitivity + specificity
            best = J.max(1, keepdims=True) - 1e-12 <= J
        else:
            enough = sensitivity >= float(rule.partition("=")[2]) - 1e-12
            reached = np.where(enough, specificity, -1)
            best = reached == reached.max(1, keepdims=True)
            reached = np.where(best, sensitivity, -1)
            best = reached == reached.max(1, keepdims=True)
        nearest = np.where(best, distance, np.inf).argmin(1)
        undefined = np.isnan(sensitivity[:, 0] + specificity[:, 0])
        thresholds[start : start + rows] = np.where(undefined, np.nan, candidates[nearest])
        ties[start : start + rows] = best.sum(1)
    return thresholds, ties


def _under(weights: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The share of weights (resamples, n), in the order of probabilities, under each candidate."""
    sums = np.pad(np.cumsum(weights, axis=1), ((0, 0), (1, 0)))
    return sums[:, below] / sums[:, -1:]
