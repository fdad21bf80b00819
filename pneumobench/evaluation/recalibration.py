"""How stated probabilities would have to be corrected: calibration in the large, and the slope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pneumobench.evaluation import distributions
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.metrics import EPSILON
from pneumobench.evaluation.predictions import Predictions

STEPS, ENOUGH = 50, 1e-10
Line = tuple[float, float]  # a value and its standard error


def logits(probabilities: np.ndarray) -> np.ndarray:
    """The log odds of probabilities, which are clipped as for the log-loss."""
    clipped = np.clip(probabilities, EPSILON, 1 - EPSILON)
    return np.log(clipped / (1 - clipped))


def in_the_large(labels: np.ndarray, probabilities: np.ndarray, patients: np.ndarray) -> Line:
    """What has to be added to all log odds so that stated and observed pneumonia agree on average; 0 is calibrated.

    The intercept of a logistic regression with the log odds as offset (Cox, Biometrika 45, 1958; Van Calster et al.,
    BMC Medicine 17:230, 2019). The standard error treats a patient's images as one cluster (Liang and Zeger,
    Biometrika 73, 1986). nan where a class is absent.
    """
    values, errors = _fitted(np.ones((len(labels), 1)), labels, logits(probabilities), patients)
    return values[0], errors[0]


def slope(labels: np.ndarray, probabilities: np.ndarray, patients: np.ndarray) -> Line:
    """The factor by which log odds have to be multiplied (with a free intercept); below 1 they are too extreme.

    nan where the classes are apart, as then no finite slope is best.
    """
    X = np.column_stack([np.ones(len(labels)), logits(probabilities)])
    values, errors = _fitted(X, labels, np.zeros(len(labels)), patients)
    return values[1], errors[1]


def diagnoses(models: Sequence[Predictions]) -> dict[str, Estimate]:
    """Both of a model, or their means over several trainings of it, each with an interval over patients alone."""
    figures = {}
    for name, of in (("calibration_in_the_large", in_the_large), ("calibration_slope", slope)):
        lines = np.array([of(one.label, one.probability, one.patient) for one in models])
        value, error = lines.mean(0).tolist()  # trainings err on the same patients: their errors do not average out
        half = distributions.normal_isf(0.025) * error
        sd = float(lines[:, 0].std(ddof=1)) if len(models) > 1 else None
        figures[name] = Estimate(value, value - half, value + half, sd)
    return figures


def _fitted(X: np.ndarray, labels: np.ndarray, offset: np.ndarray, patients: np.ndarray) -> tuple[list[float], ...]:
    """Coefficients and clustered standard errors of a logistic regression, by Newton's steps; nan without optimum."""
    beta = np.zeros(X.shape[1])
    undefined = [float("nan")] * len(beta)
    if len(np.unique(labels)) < 2:
        return undefined, undefined
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(offset + X @ beta, -700, 700)))
        H = X.T @ (X * (p * (1 - p))[:, None])
        if np.linalg.cond(H) > 1e12:
            return undefined, undefined
        step = np.linalg.solve(H, X.T @ (labels - p))
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < ENOUGH:
            break
    else:
        return undefined, undefined
    names, of = np.unique(patients, return_inverse=True)
    scores = np.zeros((len(names), len(beta)))
    np.add.at(scores, of, X * (labels - p)[:, None])
    inverse = np.linalg.inv(H)
    covariance = inverse @ (scores.T @ scores) @ inverse * len(names) / max(len(names) - 1, 1)
    return beta.tolist(), np.sqrt(np.diag(covariance)).tolist()
