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
    check_rule(rule)
    if rule != "youden" and not rule.startswith("sensitivity="):
        return OperatingPoint(float(rule), rule)
    values = np.unique(probabilities)
    between = (values[:-1] + values[1:]) / 2
    between = np.where(between > values[:-1], between, values[1:])  # neighbours with no number between them
    candidates = np.concatenate([[values[0] / 2], between, [(values[-1] + 1) / 2]])
    positives, negatives = np.sort(probabilities[labels == 1]), np.sort(probabilities[labels == 0])
    sensitivity = 1 - np.searchsorted(positives, candidates) / len(positives)
    specificity = np.searchsorted(negatives, candidates) / len(negatives)
    if rule == "youden":
        J = sensitivity + specificity - 1
        best = np.flatnonzero(np.isclose(J, J.max(), rtol=0, atol=1e-12))
    else:
        enough = sensitivity >= float(rule.partition("=")[2]) - 1e-12
        best = np.flatnonzero(enough & (specificity == specificity[enough].max()))
        best = best[sensitivity[best] == sensitivity[best].max()]
    chosen = best[np.argmin(np.abs(candidates[best] - 0.5))]
    return OperatingPoint(float(candidates[chosen]), rule, len(best))
