"""How well something other than the lungs predicts the label, or separates test images from training images."""

from __future__ import annotations

import warnings

import numpy as np

from pneumobench.data.audit.image_stats import Traits
from pneumobench.data.dataset import Dataset
from pneumobench.data.findings import Finding
from pneumobench.evaluation import bootstrap, metrics

FOLDS = 5
LEAF = 20  # images in a leaf of a tree, where there are enough
RESAMPLES = 200
NOTEWORTHY = 0.6  # an interval above it is a finding; 0.5 is chance
SHOWN = 3  # examples of either end


def of_label(dataset: Dataset, traits: Traits) -> list[Finding]:
    """Each trait's cross-validated AUROC for pneumonia, patients kept together, if it is noteworthy.

    Examples are the images with the lowest and the highest score for pneumonia.
    """
    dataset, traits = _usable(dataset, traits)
    findings = []
    for name, values in columns(traits).items():
        scores = held_out(values, dataset.labels, dataset.patients)
        if scores is None:
            continue
        area = auroc(dataset.labels, scores, dataset.patients)
        if area[1] < NOTEWORTHY:
            continue
        order = dataset.paths[np.argsort(scores, kind="stable")].tolist()
        text = f"{name} alone predicts pneumonia with AUROC {_of(area)}"
        findings.append(_finding("shortcut", text, area, (tuple(order[:SHOWN]), tuple(order[-SHOWN:]))))
    return findings


def of_side(dataset: Dataset, traits: Traits) -> list[Finding]:
    """How well test images can be told from training images of the same class, by all traits and by the best one."""
    dataset, traits = _usable(dataset, traits)
    findings = []
    for label, name in enumerate(("normal", "pneumonia")):
        rows = np.flatnonzero(dataset.labels == label)
        is_test, patients = (dataset.origins[rows] == "test").astype(np.int8), dataset.patients[rows]
        by_trait = columns(traits.take(rows))
        by_trait["all traits"] = np.column_stack([np.empty((len(rows), 0)), *by_trait.values()])
        areas = {
            trait: auroc(is_test, scores, patients)
            for trait, values in by_trait.items()
            if values.shape[1] and (scores := held_out(values, is_test, patients)) is not None
        }
        together = areas.pop("all traits", None)
        if together is None or together[1] < NOTEWORTHY:
            continue
        best = max(areas, key=lambda trait: areas[trait][0])
        text = f"{name} test images can be told from {name} training images with AUROC {_of(together)}"
        findings.append(_finding("shift", f"{text}, by {best} alone with {_of(areas[best])}", together))
    return findings


def columns(traits: Traits) -> dict[str, np.ndarray]:
    """Each trait as features for a classifier, (n, columns) float; constant traits are left out."""
    tall = np.where(traits.height > 0, traits.height, 1)
    features = {
        "colour mode": np.unique(traits.modes, return_inverse=True)[1][:, None].astype(float),
        "size": np.column_stack([traits.width, traits.height]),
        "aspect": (traits.width / tall)[:, None],
        "file size": np.log1p(traits.bytes)[:, None],
        "border pixels": traits.border,
        "brightness": traits.brightness[:, None],
        "sharpness": traits.sharpness[:, None],
    }
    return {name: values for name, values in features.items() if len(values) and np.ptp(values, axis=0).any()}


def held_out(values: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> np.ndarray | None:
    """Out-of-fold scores of decision trees, (n,), 0 to 1, patients kept together.

    None if a class has too few patients (`too_few`).
    """
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.tree import DecisionTreeClassifier

    if too_few(labels, patients):
        return None
    scores = np.empty(len(labels))
    leaf = min(LEAF, max(1, int(np.bincount(labels, minlength=2).min()) // 4))  # or small sets have no split at all
    with warnings.catch_warnings(action="ignore"):
        for fit, held in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(values, labels, patients):
            tree = DecisionTreeClassifier(max_leaf_nodes=32, min_samples_leaf=leaf, random_state=0)
            scores[held] = tree.fit(values[fit], labels[fit]).predict_proba(values[held])[:, 1]
    return scores


def too_few(labels: np.ndarray, patients: np.ndarray) -> str:
    """Why nothing can be predicted with patients kept apart: a class has too few of them; "" if it can."""
    least = min(len(np.unique(patients[labels == label])) for label in (0, 1))
    return f"a class has {least} patients, {2 * FOLDS} are needed" if least < 2 * FOLDS else ""


def auroc(labels: np.ndarray, scores: np.ndarray, patients: np.ndarray) -> tuple[float, float, float]:
    """AUROC with its 95 % interval over patients: value, low, high."""
    draws = bootstrap.over_patients(lambda W: {"auroc": metrics.auroc(labels, scores, W)}, patients, RESAMPLES)
    whole = float(metrics.auroc(labels, scores, metrics.whole(len(labels)))[0])
    return whole, *bootstrap.interval(draws["auroc"])


def _usable(dataset: Dataset, traits: Traits) -> tuple[Dataset, Traits]:
    rows = np.flatnonzero(traits.faults == "")
    return dataset.subset(rows), traits.take(rows)


def _finding(
    kind: str, text: str, area: tuple[float, float, float], examples: tuple[tuple[str, ...], ...] = ()
) -> Finding:
    return Finding(kind, text, examples, dict(zip(("auroc", "low", "high"), area, strict=True)), area[0])


def _of(area: tuple[float, float, float]) -> str:
    value, low, high = (f"{number:.3f}".removeprefix("0") for number in area)
    return f"{value} [{low}, {high}]"
