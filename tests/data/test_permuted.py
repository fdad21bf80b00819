"""Shuffled labels: patients stay alike, classes stay as large, and nothing else changes."""

import numpy as np

from pneumobench.data import prepare
from pneumobench.data.options import DataOptions
from pneumobench.data.permuted import permuted, shuffled
from pneumobench.utils.progress import Progress


def test_a_patients_images_stay_alike_and_classes_as_large():
    patients = np.repeat(np.arange(50), 2).astype(str)
    labels = np.repeat(np.arange(50) % 2, 2)
    again = shuffled(patients, labels, np.random.default_rng(0))
    assert np.array_equal(again[::2], again[1::2])
    assert again.sum() == labels.sum()
    assert 0.2 < np.mean(again == labels) < 0.8
    assert np.any(again != shuffled(patients, labels, np.random.default_rng(1)))


def test_the_development_sides_labels_alone_are_permuted(phantom_folder):
    images = prepare.load(DataOptions(data=str(phantom_folder)), Progress())
    again = permuted(images, 3)
    old, new = images.development, again.development
    assert new.digest == old.digest
    assert new.training.labels.dtype == np.int8
    assert np.any(new.training.labels != old.training.labels)
    assert again.dataset.fingerprint == images.dataset.fingerprint
    assert again.lockbox is images.lockbox
    np.testing.assert_array_equal(permuted(images, 3).development.training.labels, new.training.labels)
