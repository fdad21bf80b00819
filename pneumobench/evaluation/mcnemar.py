"""McNemar's exact test of two models' decisions on the same images."""

from __future__ import annotations

from pneumobench.evaluation import distributions
from pneumobench.evaluation.predictions import Predictions


def p(first: Predictions, second: Predictions, *, half: bool = False) -> float:
    """The exact p for decisions at the models' thresholds or at 0.5 (`half`); it takes images as independent.

    McNemar, Psychometrika 12, 1947: the binomial test of the images on which one of the two alone is right.
    """
    right = [(m.probability >= 0.5 if half else m.predicted) == (m.label == 1) for m in (first, second)]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    return distributions.binomial_half(only_first, only_first + only_second) if only_first + only_second else 1.0
