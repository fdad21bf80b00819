"""Figures and differences in groups of images, and whether a difference depends on the group (interaction)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pneumobench.evaluation import bootstrap, distributions, stratified
from pneumobench.evaluation.metrics import whole
from pneumobench.evaluation.paired import SEEDS, Models
from pneumobench.evaluation.predictions import Predictions

LEAST = 20  # images of a class in a group
MOST = 12  # groups that a table shows; a column of more numbers is cut into fourths
RESAMPLES = 2_000
QUARTERS = 4


@dataclass(frozen=True)
class Groups:
    """The rows (n,) bool of each group, and a line for each group that is left out with its reason.

    A group that holds one class alone has all images of the other class added: `against` names the class.
    """

    rows: Mapping[str, np.ndarray]
    against: Mapping[str, str]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Interaction:
    """Whether a pair's difference is the same in all groups: Wald's F, its p, and p after Holm's correction."""

    F: float
    df: tuple[float, float]
    p: float
    p_corrected: float = float("nan")


def groups(labels: np.ndarray, values: np.ndarray, column: str = "group") -> Groups:
    """The groups of a column's values (n,), "" being none; of numbers with many values their fourths.

    Groups with fewer than 20 images of a class (of their own class, where they hold one alone) are left out by name.
    """
    named = _cut(values)
    rows, against, left_out = {}, {}, []
    for name in np.unique(named[named != ""]).tolist():
        own = named == name
        counts = np.bincount(labels[own], minlength=2)
        of_one = int(np.argmax(counts)) if counts.min() == 0 else None
        if of_one is not None:
            own = own | (labels == 1 - of_one)
        few = np.bincount(labels[own], minlength=2)
        if few.min() < LEAST:
            side = ("normal", "pneumonia")[int(np.argmin(few))]
            left_out.append(f"{column} {name}: {few.min()} {side} images, fewer than {LEAST}")
            continue
        rows[name] = own
        if of_one is not None:
            against[name] = ("normal", "pneumonia")[1 - of_one]
    if len(rows) > MOST:
        left_out += [f"{column} {name}: only the {MOST} largest groups are shown" for name in _smallest(rows)]
        rows = {name: own for name, own in rows.items() if name not in _smallest(rows)}
    return Groups(rows, {name: word for name, word in against.items() if name in rows}, tuple(left_out))


def differences(
    one: Models,
    other: Models,
    rows: Mapping[str, np.ndarray],
    metric: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray, int]:
    """A pair's difference in each group (g,), their covariance (g, g) and the number of patients.

    Patients are resampled once for all groups, as groups may have patients or a whole class in common. With three
    trainings or more on both sides the trainings are random too, as in `variance.spread`.
    """
    first = one[0]
    sides = [_figures(models, rows, metric, resamples, seed) for models in (one, other)]
    points = sides[0][0].mean(1) - sides[1][0].mean(1)
    covariance = np.atleast_2d(_covariance(sides[0][1].mean(2) - sides[1][1].mean(2)))
    if min(len(one), len(other)) >= SEEDS:
        covariance = covariance + sum(_own(*side) for side in sides)
    return points, covariance, len(np.unique(first.patient))


def interaction(points: np.ndarray, covariance: np.ndarray, patients: int) -> Interaction:
    """The test that all groups (g ≥ 2) have the same difference: Wald's statistic of g - 1 contrasts, by F.

    Its second degrees of freedom are those of the patients (Hotelling's T²: Anderson, An Introduction to Multivariate
    Statistical Analysis, 2003, section 5.2).
    """
    g = len(points)
    C = np.column_stack([np.eye(g - 1), -np.ones(g - 1)])
    change = C @ points
    V = C @ covariance @ C.T
    if np.linalg.matrix_rank(V) < g - 1:
        return Interaction(float("nan"), (g - 1.0, float("nan")), float("nan"))
    k, m = g - 1, patients - 1
    T2 = float(change @ np.linalg.solve(V, change))
    F, below = T2 * (m - k + 1) / (m * k), float(m - k + 1)
    return Interaction(F, (float(k), below), distributions.fisher_sf(F, k, below))


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected together by Holm's procedure (Scand. J. Statist. 6, 1979); undefined ones stay so."""
    defined = [value for value in p if value == value]
    order = sorted(defined)
    corrected: dict[float, float] = {}
    highest = 0.0
    for rank, value in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * value))
        corrected[value] = highest
    return [corrected.get(value, float("nan")) for value in p]


def _figures(
    models: Sequence[Predictions], rows: Mapping[str, np.ndarray], metric: str, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Figures (g, trainings), and on resampled patients (resamples, g, trainings)."""
    parts = {name: [model.take(own) for model in models] for name, own in rows.items()}
    points = np.array([[stratified.of_model(m, metric, whole(len(m)))[0] for m in own] for own in parts.values()])
    draws = np.empty((resamples, *points.shape))
    for where, W in bootstrap.blocks(models[0].patient, resamples, seed):
        for g, (name, own) in enumerate(parts.items()):
            weights = np.ascontiguousarray(W[:, rows[name]])
            for i, model in enumerate(own):
                draws[where, g, i] = stratified.of_model(model, metric, weights)
    return points, draws


def _own(points: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The covariance (g, g) of the mean over trainings that no number of patients would remove."""
    n = points.shape[1]
    between = np.atleast_2d(np.cov(points, ddof=1))
    apart = draws - draws.mean(2, keepdims=True)
    inner = sum((_covariance(apart[:, :, i]) for i in range(n)), np.zeros_like(between)) / (n - 1)
    values, vectors = np.linalg.eigh(between - inner)
    return (vectors * np.maximum(values, 0)) @ vectors.T / n


def _covariance(draws: np.ndarray) -> np.ndarray:
    """Of the columns, over the rows in which all are defined."""
    return np.atleast_2d(np.cov(draws[np.isfinite(draws).all(1)], rowvar=False, ddof=1))


def _cut(values: np.ndarray) -> np.ndarray:
    """The values themselves or, where they are more than 12 numbers, which fourth of the images they are in."""
    known = values[values != ""]
    if len(np.unique(known)) <= MOST:
        return values
    try:
        numbers = np.array([float(value or "nan") for value in values.tolist()])
    except ValueError:
        return values
    edges = np.nanquantile(numbers, np.linspace(0, 1, QUARTERS + 1))
    place = np.clip(np.searchsorted(edges[1:-1], numbers, "left"), 0, QUARTERS - 1)
    names = np.array([f"{chr(97 + i)}: {edges[i]:g} to {edges[i + 1]:g}" for i in range(QUARTERS)])
    return np.where(np.isnan(numbers), "", names[place])


def _smallest(rows: Mapping[str, np.ndarray]) -> set[str]:
    return set(sorted(rows, key=lambda name: -int(rows[name].sum()))[MOST:])
