"""Probabilities made to mean what they say: a correction that is fitted on validation and kept with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy.optimize import brentq, isotonic_regression

from pneumobench.errors import UsageError
from pneumobench.evaluation.recalibration import logits

Kind = Literal["temperature", "isotonic", "none"]
STEEPEST = 100.0  # bounds the factor of the log odds, which has no finite optimum where validation is told apart wholly


@dataclass(frozen=True)
class Calibrator:
    """A non-decreasing function of a probability.

    By temperature the log odds are divided by `temperature`. By isotonic regression `stated` probabilities become
    `observed` shares, with straight lines between them and constants beyond.
    """

    kind: Kind
    temperature: float = 1.0
    stated: tuple[float, ...] = ()
    observed: tuple[float, ...] = ()

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (n,) float64 from a model's own (n,)."""
        if self.kind == "temperature":
            return _expit(logits(np.asarray(probabilities, np.float64)) / self.temperature)
        return np.interp(probabilities, self.stated, self.observed)

    def card(self) -> dict[str, Any]:
        """What a model's card holds of it; `of_card` reads it."""
        if self.kind == "temperature":
            return {"kind": self.kind, "temperature": self.temperature}
        return {"kind": self.kind, "stated": self.stated, "observed": self.observed}


def of_card(card: Mapping[str, Any] | None) -> Calibrator | None:
    """The calibrator of a model's card; None where it has none."""
    if card is None:
        return None
    stated, observed = (tuple(card.get(name, ())) for name in ("stated", "observed"))
    return Calibrator(card["kind"], card.get("temperature", 1.0), stated, observed)


def check(kind: str) -> None:
    """Raises: UsageError for an unknown kind."""
    if kind not in get_args(Kind):
        raise UsageError(f"--calibrate is one of {', '.join(get_args(Kind))}, not '{kind}'")


def fit(kind: str, labels: np.ndarray, probabilities: np.ndarray) -> Calibrator | None:
    """The calibrator of held-out labels (n,) and probabilities (n,); None for "none".

    Temperature scaling minimises the log-loss by one factor (Guo et al., ICML 2017): it leaves ranks, and what 0.5
    decides, as they are. Isotonic regression minimises the Brier score over all non-decreasing functions (Zadrozny and
    Elkan, KDD 2002): it makes ties, so that AUROC may change. Raises: UsageError for an unknown kind.
    """
    check(kind)
    if kind == "temperature":
        return Calibrator("temperature", temperature=1 / _factor(labels, logits(probabilities)))
    if kind == "isotonic":
        stated, of, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
        shares = np.bincount(of, labels, len(stated)) / counts
        observed = isotonic_regression(shares, weights=counts).x
        is_end = np.r_[True, np.diff(observed) != 0] | np.r_[np.diff(observed) != 0, True]  # of a constant piece
        return Calibrator("isotonic", stated=tuple(stated[is_end].tolist()), observed=tuple(observed[is_end].tolist()))
    return None


def _factor(labels: np.ndarray, z: np.ndarray) -> float:
    """The factor of log odds z at which the log-loss, which is convex in it, has its minimum; within bounds."""

    def gradient(factor: float) -> float:
        return float(np.sum((_expit(factor * z) - labels) * z))

    if gradient(STEEPEST) <= 0:
        return STEEPEST
    if gradient(1 / STEEPEST) >= 0:
        return 1 / STEEPEST
    return float(brentq(gradient, 1 / STEEPEST, STEEPEST, xtol=1e-10))


def _expit(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(z, -700, 700)))
