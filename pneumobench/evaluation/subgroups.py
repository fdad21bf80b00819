"""Figures and differences in groups of images, and whether a difference depends on the group (interaction)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pneumobench.evaluation import bootstrap, distributions, stratified
from pneumobench.evaluation.metrics import whole
from pneumobench.evaluation.paired import SEEDS, Models

LEAST = 20  # images of a class in a group
MOST = 12  # groups that a table shows; a column of more numbers is cut into fourths
RESAMPLES = 2_000
QUARTERS = 4


@dataclass(frozen=True)
class Groups:
    """The rows (n,) bool of each group, and a line for each group that is left out with its reason.

    A group that holds a part of one class alone has all images of the other added: `against` names that other class.
    """

    rows: Mapping[str, np.ndarray]
    against: Mapping[str, str]
    left_out: tuple[str, ...]


class Source(NamedTuple):
    """A part of the covariance (g, g) of a pair's differences, such as the patients', and its degrees of freedom."""

    covariance: np.ndarray
    df: int


Figures = tuple[np.ndarray, np.ndarray]  # of groups and trainings: (g, trainings), (resamples, g, trainings)


@dataclass(frozen=True)
class Interaction:
    """Whether a pair's difference is the same in all groups: Wald's F, its p, and p after Holm's correction."""

    F: float
    df: tuple[float, float]
    p: float
    p_corrected: float = float("nan")


def groups(labels: np.ndarray, values: np.ndarray, column: str = "group") -> Groups:
    """The groups of a column's values (n,), "" being none; of numbers with many values their fourths.

    Groups with fewer than 20 images of a class (of their own class, where they hold one alone) are left out by name,
    and a whole class too: with the other one it is all the images.
    """
    named = cut(values)
    rows, against, left_out = {}, {}, []
    for name in np.unique(named[named != ""]).tolist():
        own = named == name
        counts = np.bincount(labels[own], minlength=2)
        of_one = int(np.argmax(counts)) if counts.min() == 0 else None
        if of_one is not None:
            if counts[of_one] == int((labels == of_one).sum()):
                left_out.append(f"{column} {name}: it is a whole class and no part of one")
                continue
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


def figures(
    models: Models, rows: Mapping[str, np.ndarray], metric: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> Figures:
    """A plugin's figures by group and training, and the same on resampled patients."""
    parts = {name: [model.take(own) for model in models] for name, own in rows.items()}
    points = np.array([[stratified.of_model(m, metric, whole(len(m)))[0] for m in own] for own in parts.values()])
    draws = np.empty((resamples, *points.shape))
    for where, W in bootstrap.blocks(models[0].patient, resamples, seed):
        for g, (name, own) in enumerate(parts.items()):
            weights = np.ascontiguousarray(W[:, rows[name]])
            for i, model in enumerate(own):
                draws[where, g, i] = stratified.of_model(model, metric, weights)
    return points, draws


def differences(
    one: Models,
    other: Models,
    rows: Mapping[str, np.ndarray],
    metric: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[np.ndarray, list[Source]]:
    """A pair's difference in each group (g,), and the sources of its variance.

    Patients are resampled once for all groups, as groups may have patients or a whole class in common. With three
    trainings or more on both sides the trainings are random too, as in `variance.spread`.
    """
    sides = [figures(models, rows, metric, resamples=resamples, seed=seed) for models in (one, other)]
    return differences_of(sides[0], sides[1], len(np.unique(one[0].patient)))


def differences_of(one: Figures, other: Figures, patients: int) -> tuple[np.ndarray, list[Source]]:
    """The same from both sides' figures; see `figures`."""
    points = one[0].mean(1) - other[0].mean(1)
    sources = [Source(_covariance(one[1].mean(2) - other[1].mean(2)), patients - 1)]
    if min(one[0].shape[1], other[0].shape[1]) >= SEEDS:
        sources += [Source(_own(*side), side[0].shape[1] - 1) for side in (one, other)]
    return points, sources


def interaction(points: np.ndarray, sources: Sequence[Source]) -> Interaction:
    """The test that all groups (g ≥ 2) have the same difference: Wald's statistic of g - 1 contrasts, by F.

    The statistic is Hotelling's T² (Anderson, An Introduction to Multivariate Statistical Analysis, 2003, section 5.2);
    its degrees of freedom are those of the multivariate Behrens-Fisher problem (Krishnamoorthy and Yu, Statistics and
    Probability Letters 66, 2004), which for two groups are Welch's and Satterthwaite's.
    """
    k = len(points) - 1
    C = np.column_stack([np.eye(k), -np.ones(k)])
    change = C @ points
    parts = [C @ source.covariance @ C.T for source in sources]
    V = np.sum(parts, axis=0)
    if not np.isfinite(V).all() or np.linalg.matrix_rank(V) < k:
        return Interaction(float("nan"), (float(k), float("nan")), float("nan"))
    shares = [part @ np.linalg.inv(V) for part in parts]
    below = sum((np.trace(A @ A) + np.trace(A) ** 2) / source.df for A, source in zip(shares, sources, strict=True))
    df = max(k * (k + 1) / float(below), float(k))
    T2 = float(change @ np.linalg.solve(V, change))
    F = T2 * (df - k + 1) / (df * k)
    return Interaction(F, (float(k), df - k + 1), distributions.fisher_sf(F, k, df - k + 1))


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


def cut(values: np.ndarray) -> np.ndarray:
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
