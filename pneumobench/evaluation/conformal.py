"""Split conformal prediction: sets of labels that hold the true one with a chosen probability, if images are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pneumobench.evaluation.predictions import Predictions

ALPHA = 0.1


@dataclass(frozen=True)
class Realised:
    """What sets of labels came to on some images: the share that holds the true label, and what the sets are."""

    group: str
    images: int
    coverage: float
    single: float  # the share of sets with one label
    empty: float


def quantile(labels: np.ndarray, probabilities: np.ndarray, alpha: float = ALPHA) -> float:
    """The largest 1 - p(label) that a label in a set may have, so that 1 - `alpha` of exchangeable images are covered.

    From validation's labels and probabilities (n,): the ⌈(n + 1)(1 - alpha)⌉-th smallest (Papadopoulos et al., ECML
    2002; Angelopoulos and Bates, arXiv 2107.07511, 2021); 1 where n is too small for one.
    """
    scores = np.sort(_scores(labels, probabilities))
    rank = int(np.ceil((len(scores) + 1) * (1 - alpha) - 1e-9))
    return float(scores[rank - 1]) if rank <= len(scores) else 1.0


def realised(model: Predictions, at: float, column: str = "") -> list[Realised]:
    """Coverage by sets at a quantile: of all images, of each class, and of each value of a column (such as `site`).

    Coverage is promised for images like the validation's alone; elsewhere it is what it turns out to be.
    """
    holds = covered(model.label, model.probability, at)
    sizes = holds.astype(int) + covered(1 - model.label, model.probability, at)
    return [
        Realised(
            name, int(of.sum()), float(holds[of].mean()), float((sizes[of] == 1).mean()), float((sizes[of] == 0).mean())
        )
        for name, of in groups(model, column).items()
    ]


def covered(labels: np.ndarray, probabilities: np.ndarray, at: float) -> np.ndarray:
    """Whether the set of each image at a quantile holds the label given for it, (n,) bool."""
    return _scores(labels, probabilities) <= at


def groups(model: Predictions, column: str = "") -> dict[str, np.ndarray]:
    """By name, which images (n,) are meant: all, each class, and each value of a column; empty ones are left out."""
    found = {"all": np.ones(len(model), bool), "normal": model.label == 0, "pneumonia": model.label == 1}
    if column in model.columns:
        own = model.columns[column]
        found |= {str(value): own == value for value in np.unique(own[own != ""]).tolist()}
    return {name: of for name, of in found.items() if of.any()}


def _scores(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return np.where(labels == 1, 1 - probabilities, probabilities)
