"""Cross-validation: the development side in K folds, each patient in one of them."""

from __future__ import annotations

import numpy as np

from pneumobench.data.dataset import CLASSES, joined
from pneumobench.data.subset import Development, Part
from pneumobench.errors import DataError


def divide_into_folds(development: Development, count: int, *, seed: int = 0) -> tuple[Development, ...]:
    """`count` developments, whose validation parts are disjoint and together all training and validation images.

    Whole patients, stratified by class and subtype (scikit-learn's StratifiedGroupKFold). The same images,
    count and seed give the same folds, whatever the files are called.
    Raises: DataError where a class has fewer patients than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    whole = joined(development.training.dataset, development.validation.dataset)
    whole = whole.subset(np.argsort(whole.hashes, kind="stable"))
    for label, name in enumerate(CLASSES):
        patients = len(np.unique(whole.patients[whole.labels == label]))
        if patients < count:
            raise DataError(f"--folds {count}: class {name} has {patients} patients, and every fold needs one")
    _, first, inverse = np.unique(whole.patients, return_index=True, return_inverse=True)
    places = np.argsort(np.argsort(first))[inverse]  # a patient's number, by their smallest hash
    strata = np.char.add(whole.labels.astype(str), whole.subtypes)
    division = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    divisions = []
    for training, validation in division.split(places, strata, places):
        sides = [Part(whole.subset(np.sort(rows)), development.training.source) for rows in (training, validation)]
        if any(len(np.unique(part.labels)) < len(CLASSES) for part in sides):
            raise DataError(f"--folds {count}: a fold has images of only one class; use fewer folds")
        divisions.append(Development(training=sides[0], validation=sides[1]))
    return tuple(divisions)
