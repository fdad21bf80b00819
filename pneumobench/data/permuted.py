"""Training and validation images under shuffled labels: what a model then scores on the test images is chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pneumobench.data.dataset import Dataset
from pneumobench.data.prepare import Prepared
from pneumobench.data.subset import Development, Part

NOTE = "labels of the training and validation images were permuted, by patients: this run is never compared"


def permuted(images: Prepared, seed: int) -> Prepared:
    """The same images with the labels of the development side permuted; the test images keep theirs.

    Training and validation, or the held-out part of each fold, are permuted apart, so that both classes stay in each.
    """
    every = [images.development, *images.folds]
    parts = [images.development.training, images.development.validation]
    if images.folds:
        parts = [fold.validation for fold in images.folds]
    rng = np.random.default_rng(seed)
    label_of: dict[str, int] = {}
    for part in parts:
        labels = shuffled(part.patients, part.labels, rng)
        label_of |= dict(zip(part.dataset.hashes.tolist(), labels.tolist(), strict=True))
    development, *folds = (_relabelled(one, label_of) for one in every)
    return replace(images, development=development, folds=tuple(folds))


def shuffled(patients: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels (n,) after each patient got the label of another, chosen at random; images of a patient stay alike.

    A patient's label is that of the first image. Patients are what is exchangeable under the null hypothesis.
    """
    _, first, of = np.unique(patients, return_index=True, return_inverse=True)
    return rng.permutation(labels[first])[of].astype(labels.dtype)


def _relabelled(development: Development, label_of: dict[str, int]) -> Development:
    def part(old: Part) -> Part:
        return Part(_with(old.dataset, label_of), old.source, old.lost)

    return replace(development, training=part(development.training), validation=part(development.validation))


def _with(dataset: Dataset, label_of: dict[str, int]) -> Dataset:
    return replace(dataset, labels=np.array([label_of[digest] for digest in dataset.hashes.tolist()], np.int8))
