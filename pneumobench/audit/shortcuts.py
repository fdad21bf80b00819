"""How well something other than the lungs predicts the label, or tells training from test."""

from __future__ import annotations

import warnings

import numpy as np

from pneumobench.audit.traits import Traits
from pneumobench.data.dataset import Dataset
from pneumobench.data.findings import Finding
from pneumobench.evidence import bootstrap

FOLDS = 5
RESAMPLES = 200
NOTEWORTHY = 0.6  # an interval above it is a finding; 0.5 is a coin


def of_label(dataset: Dataset, traits: Traits) -> list[Finding]:
    """For each trait its cross-validated AUROC for pneumonia, patients kept together, where it is noteworthy."""
    found = []
    for name, values in columns(traits).items():
        area = auroc(values, dataset.labels, dataset.patients, traits.faults == "")
        if area is None or area[1] < NOTEWORTHY:
            continue
        text = f"{name} alone predicts pneumonia with AUROC {_of(area)}"
        found.append(Finding("shortcut", text, (), dict(zip(("auroc", "low", "high"), area, strict=True)), area[0]))
    return found


def of_side(dataset: Dataset, traits: Traits) -> list[Finding]:
    """How well test images can be told from training images of the same class, by all traits and by the best one."""
    is_test = (dataset.origins == "test").astype(np.int8)
    found = []
    for label, name in enumerate(("normal", "pneumonia")):
        rows = np.flatnonzero(dataset.labels == label)
        own = traits.take(rows)
        by_trait = columns(own)
        areas = {
            trait: area
            for trait, values in (by_trait | {"all traits": np.column_stack(list(by_trait.values()))}).items()
            if (area := auroc(values, is_test[rows], dataset.patients[rows], own.faults == ""))
        }
        if "all traits" not in areas or areas["all traits"][1] < NOTEWORTHY:
            continue
        best = max((trait for trait in areas if trait != "all traits"), key=lambda trait: areas[trait][0])
        area = areas["all traits"]
        text = (
            f"{name} test images can be told from {name} training images with AUROC {_of(area)}, by {best} alone with "
        )
        text += _of(areas[best])
        found.append(Finding("shift", text, (), dict(zip(("auroc", "low", "high"), area, strict=True)), area[0]))
    return found


def columns(traits: Traits) -> dict[str, np.ndarray]:
    """What each trait offers to a classifier, (n, columns) float; traits that are the same for all are left out."""
    tall = np.where(traits.height > 0, traits.height, 1)
    found = {
        "colour mode": np.unique(traits.modes, return_inverse=True)[1][:, None].astype(float),
        "size": np.column_stack([traits.width, traits.height]),
        "aspect": (traits.width / tall)[:, None],
        "file size": np.log1p(traits.bytes)[:, None],
        "border pixels": traits.border,
        "brightness": traits.brightness[:, None],
        "sharpness": traits.sharpness[:, None],
    }
    return {name: values for name, values in found.items() if np.ptp(values, axis=0).any()}


def auroc(
    values: np.ndarray, labels: np.ndarray, patients: np.ndarray, usable: np.ndarray
) -> tuple[float, float, float] | None:
    """Out-of-fold AUROC of a decision tree, with its 95 % interval over patients; None where there are too few."""
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.tree import DecisionTreeClassifier

    values, labels, patients = values[usable], labels[usable], patients[usable]
    if min((len(np.unique(patients[labels == label])) for label in (0, 1)), default=0) < 2 * FOLDS:
        return None
    said = np.empty(len(labels))
    with warnings.catch_warnings(action="ignore"):
        for fit, held in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(values, labels, patients):
            tree = DecisionTreeClassifier(max_leaf_nodes=32, min_samples_leaf=20, random_state=0)
            said[held] = tree.fit(values[fit], labels[fit]).predict_proba(values[held])[:, 1]
    draws = bootstrap.over_patients(lambda W: {"auroc": bootstrap.curves(labels, said, W)[0]}, patients, RESAMPLES)[
        "auroc"
    ]
    whole = float(bootstrap.curves(labels, said, np.ones((1, len(labels)), np.float32))[0][0])
    return whole, *bootstrap.interval(draws)


def _of(area: tuple[float, float, float]) -> str:
    value, low, high = (f"{number:.3f}".removeprefix("0") for number in area)
    return f"{value} [{low}, {high}]"
