import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import split
from pneumobench.training.corruption import Corrupted

VIEW = View(32, 32, channels=1)


@pytest.fixture(scope="module")
def validation(dataset):
    return split.split(dataset)[0].validation


def test_corruption_is_determined_by_the_seed(validation, monkeypatch, tmp_path):
    clean = validation.pixels(VIEW)[:].astype(float)
    once = Corrupted(validation, 0).pixels(VIEW)[:]
    assert once.shape == clean.shape
    assert once.dtype == np.uint8
    assert np.abs(once - clean).mean() > 2
    np.testing.assert_array_equal(once, Corrupted(validation, 0).pixels(VIEW)[:])
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path))  # computed again, not read from the cache
    np.testing.assert_array_equal(once, Corrupted(validation, 0).pixels(VIEW)[:])
    assert np.any(once != Corrupted(validation, 1).pixels(VIEW)[:])


def test_features_of_corrupted_images_are_cached_separately(validation):
    corrupted = Corrupted(validation, 0)
    assert corrupted.variant != validation.variant
    np.testing.assert_array_equal(
        corrupted.of_source(VIEW)[:], corrupted.pixels(VIEW)[np.unique(corrupted.dataset.hashes, return_index=True)[1]]
    )
