"""Which side an image is on: patients stay together, and the test images go into a lockbox."""

from __future__ import annotations

import numpy as np

from pneumobench.data import findings
from pneumobench.data.dataset import CLASSES, ORIGINS, Dataset
from pneumobench.data.lockbox import Lockbox
from pneumobench.data.options import check_policy
from pneumobench.data.subset import Development, Part
from pneumobench.errors import DataError, UsageError

VALIDATION_SHARE = 0.15
OFFICIAL_PER_CLASS = 8  # Kaggle's val folder holds 8 + 8 images


def split(
    dataset: Dataset, *, policy: str = "patient", seed: int = 0, allow_leak: bool = False
) -> tuple[Development, Lockbox]:
    """The development side and the lockbox. The same dataset, policy and seed give the same division.

    `patient`: 15 % of the train and val images, stratified by class and subtype, are validation.
    `official`: the release's own val; where there is none, 8 + 8 training images.

    Raises: UsageError for an unknown policy; DataError where a patient or an identical image is on both
    sides of the lockbox, unless that is allowed, or a class has too few patients to divide.
    """
    check_policy(policy)
    is_test = dataset.origins == "test"
    if is_test.all():
        raise DataError(f"{dataset.name} has test images alone: a model may be judged on them, never trained on them")
    if not allow_leak and (leak := findings.leak(dataset)):
        raise DataError(f"leak: {leak.text}; a patient belongs to one side (`run --allow-leak` marks the run)")
    development = dataset.subset(~is_test)
    rng = np.random.default_rng(seed)
    notes: tuple[str, ...] = ()
    excluded = np.zeros(len(development), bool)
    if policy == "patient":
        validation = whole_patients(development, VALIDATION_SHARE, rng)
    elif np.any(development.origins == "val"):
        validation = development.origins == "val"
        both = np.isin(development.patients, development.patients[validation])
        excluded = both & ~validation
        if excluded.any():
            notes = (f"{excluded.sum()} training images left out: their patients are in the release's val",)
    else:
        validation = whole_patients(development, OFFICIAL_PER_CLASS, rng)
        notes = (
            f"this release has no val folder: {validation.sum()} training images "
            f"({OFFICIAL_PER_CLASS} a class) are used for validation",
        )
    for label, name in enumerate(CLASSES):
        for side, rows in (("validation", validation), ("training", ~validation & ~excluded)):
            if not np.any(rows & (development.labels == label)):
                patients = len(np.unique(development.patients[development.labels == label]))
                why = f"class {name} has {patients} patients in train and val, and a split needs 2"
                if policy == "official" and np.any(development.origins == "val"):
                    why = "that is how the release's val folder divides them; --split patient draws another division"
                raise DataError(f"no {name} image for {side}: {why}")
    training = Part(development.subset(~validation & ~excluded), development)
    return Development(training, Part(development.subset(validation), development), notes), Lockbox(
        dataset.subset(is_test)
    )


def whole_patients(dataset: Dataset, share_or_count: float, rng: np.random.Generator) -> np.ndarray:
    """A mask of whole patients: this share of each class, subtype and site, or so many images of each class."""
    by_share = share_or_count < 1
    label = dataset.labels.astype(str)
    own = np.char.add(label, dataset.subtypes) if by_share else label
    if by_share and "site" in dataset.columns:
        own = np.char.add(own, dataset.columns["site"])
    _, first, inverse = np.unique(dataset.patients, return_index=True, return_inverse=True)
    stratum = own[first][inverse]  # one for all images of a patient: that of the first
    chosen = np.zeros(len(dataset), bool)
    for name in np.unique(stratum):
        rows = np.flatnonzero(stratum == name)
        target = round(share_or_count * len(rows)) if by_share else int(share_or_count)
        chosen[_draw(dataset, rows, target, rng, at_least=1, leave=1)] = True
    for value in np.unique(dataset.labels) if by_share else ():
        rows = np.flatnonzero(dataset.labels == value)
        if not chosen[rows].any():  # one patient of each subtype: none of them could be drawn
            chosen[_draw(dataset, rows, round(share_or_count * len(rows)), rng, at_least=1, leave=1)] = True
    return chosen


def limit(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """About `count` images: whole patients of each folder and class in its share, at least two of each."""
    if count < 1:
        raise UsageError(f"--limit takes at least 1 image, not {count}")
    if count >= len(dataset):
        return dataset
    rng = np.random.default_rng(seed)
    kept = np.zeros(len(dataset), bool)
    for origin in ORIGINS:
        for label in range(len(CLASSES)):
            rows = np.flatnonzero((dataset.origins == origin) & (dataset.labels == label))
            target = round(count * len(rows) / len(dataset))
            kept[_draw(dataset, rows, target, rng, at_least=2)] = True
    return dataset.subset(kept)


def _draw(
    dataset: Dataset,
    rows: np.ndarray,
    target: int,
    rng: np.random.Generator,
    *,
    at_least: int,
    leave: int = 0,
) -> np.ndarray:
    """Rows of whole patients in random order, as long as they fit in `target` images.

    At least so many patients are drawn (the smallest ones, where none fits) and so many left. Before the
    draw patients are sorted by their smallest content hash, so that file names do not matter.
    """
    by_hash = rows[np.argsort(dataset.hashes[rows])]
    _, first, inverse = np.unique(dataset.patients[by_hash], return_index=True, return_inverse=True)
    sizes = np.bincount(inverse)
    order = rng.permutation(np.argsort(first))
    chosen: list[int] = []
    total = 0
    for patient in order:
        if total + sizes[patient] <= target and len(chosen) < len(order) - leave:
            chosen.append(patient)
            total += sizes[patient]
    missing = min(at_least, len(order) - leave) - len(chosen)
    if missing > 0:
        rest = [patient for patient in order if patient not in chosen]
        chosen += sorted(rest, key=lambda patient: sizes[patient])[:missing]
    return by_hash[np.isin(inverse, chosen)]
