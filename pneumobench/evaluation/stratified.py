"""AUROC inside each value of a column, so that what the column alone tells cannot help."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pneumobench.errors import UsageError
from pneumobench.evaluation import metrics
from pneumobench.evaluation.labels import WITHIN
from pneumobench.evaluation.predictions import Predictions

MOST = 20  # values of a column


def name(column: str) -> str:
    """The metric's name for a column."""
    return f"{WITHIN}{column}"


def column_of(metric: str) -> str:
    """The column of a metric's name; "" for any other metric."""
    return metric.removeprefix(WITHIN) if metric.startswith(WITHIN) else ""


def of_model(model: Predictions, metric: str, W: np.ndarray) -> np.ndarray:
    """Any metric of a model, (resamples,), for image weights W (resamples, n); nan where undefined."""
    if column := column_of(metric):
        return auroc(model.label, model.probability, values(model.columns, column), W)
    return metrics.one(metric, model.label, model.probability, model.subtype, model.operating.threshold, W)


def auroc(labels: np.ndarray, probabilities: np.ndarray, strata: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Of all pairs of an ill and a well image in one stratum, the share ranked rightly, (resamples,); nan without any.

    Shapes (n,), and (resamples, n) of the image weights. Each stratum counts by its pairs (van Elteren's statistic with
    such weights; Pepe, The Statistical Evaluation of Medical Tests, 2003, section 6.3, on covariate adjustment). Images
    whose stratum is "" belong to none.
    """
    wins, pairs = np.zeros(len(W)), np.zeros(len(W))
    for stratum in np.unique(strata[strata != ""]).tolist():
        own = strata == stratum
        ill, well = (W[:, own & (labels == label)].sum(1, dtype=np.float64) for label in (1, 0))
        share = metrics.auroc(labels[own], probabilities[own], W[:, own])
        wins += np.where(ill * well > 0, share, 0.0) * ill * well
        pairs += ill * well
    with np.errstate(invalid="ignore"):
        return wins / np.where(pairs > 0, pairs, np.nan)


def alone(labels: np.ndarray, strata: np.ndarray) -> tuple[str, float] | None:
    """A column's first value, in alphabetical order, and the AUROC of it as the sign of pneumonia.

    None unless the column has exactly two values; images without one are left out.
    """
    known = strata != ""
    names = np.unique(strata[known]).tolist()
    if len(names) != 2:
        return None
    sign = (strata[known] == names[0]).astype(float)
    return names[0], float(metrics.auroc(labels[known], sign, metrics.whole(int(known.sum())))[0])


def values(columns: Mapping[str, np.ndarray], column: str) -> np.ndarray:
    """A column's values (n,). Raises: UsageError where there is no such column."""
    if column not in columns:
        raise UsageError(f"these images have no column '{column}'; they have: {', '.join(sorted(columns)) or 'none'}")
    return columns[column]


def check(labels: np.ndarray, columns: Mapping[str, np.ndarray], column: str) -> None:
    """Raises: UsageError unless a column has few values, and both classes in one of them."""
    strata = values(columns, column)
    names = np.unique(strata[strata != ""]).tolist()
    if len(names) > MOST:
        raise UsageError(f"AUROC within a column takes one of at most {MOST} values; {column} has {len(names)}")
    if not any(len(np.unique(labels[strata == value])) == 2 for value in names):
        raise UsageError(f"no value of {column} has images of both classes, so that there is no AUROC within it")
