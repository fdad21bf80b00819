import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import split
from pneumobench.training.corruption import Corrupted

VIEW = View(32, 32, channels=1)


@pytest.fixture(scope="module")
def validation(dataset):
    return split.split(dataset)[0].validation


def test_images_are_worse_by_the_seed_and_the_same_every_time(validation, monkeypatch, tmp_path):
    clean = validation.pixels(VIEW)[:].astype(float)
    once = Corrupted(validation, 0).pixels(VIEW)[:]
    assert once.shape == clean.shape
    assert once.dtype == np.uint8
    assert np.abs(once - clean).mean() > 2
    np.testing.assert_array_equal(once, Corrupted(validation, 0).pixels(VIEW)[:])
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path))  # made again, not read
    np.testing.assert_array_equal(once, Corrupted(validation, 0).pixels(VIEW)[:])
    assert np.any(once != Corrupted(validation, 1).pixels(VIEW)[:])


def test_features_of_worse_images_are_not_taken_for_the_others(validation):
    worse = Corrupted(validation, 0)
    assert worse.variant != validation.variant
    np.testing.assert_array_equal(
        worse.of_source(VIEW)[:], worse.pixels(VIEW)[np.unique(worse.dataset.hashes, return_index=True)[1]]
    )
