import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data.pixels import Rows

pytestmark = pytest.mark.slow  # imports Keras

VIEW = View(4, 4, channels=3)


@pytest.fixture
def make():
    from pneumobench.training.batches import Batches

    pixels = np.broadcast_to(np.arange(50, dtype=np.uint8)[:, None, None], (50, 4, 4))
    labels = (np.arange(50) % 3 > 0).astype(np.int8)

    def build(**options):
        options = {"batch_size": 16, "seed": 3} | options
        return Batches(Rows(pixels, np.arange(50)), labels, VIEW, **options)

    return build


def test_an_epoch_holds_every_image_once_with_its_label(make):
    batches = make()
    assert len(batches) == 4
    images, labels = (np.concatenate(parts) for parts in zip(*(batches[i] for i in range(4)), strict=True))
    number = images[:, 0, 0, 0]
    assert sorted(number) == list(range(50))
    assert np.array_equal(labels[:, 0], number % 3 > 0)
    assert (images.shape, images.dtype) == ((50, 4, 4, 3), np.float32)


def test_a_batch_depends_on_seed_epoch_and_index_alone(make):
    first, same, reseeded = make(), make(), make(seed=4)
    for _ in range(3):
        same[0], same[2], same[0]  # Keras fetches batches that it does not use
        assert np.array_equal(first[1][0], same[1][0])
        assert not np.array_equal(first[1][0], reseeded[1][0])
        before = first[1][0]
        for batches in (first, same, reseeded):
            batches.on_epoch_begin()
        assert not np.array_equal(before, first[1][0]), "each epoch is reshuffled"


def test_weights_and_several_outputs_follow_their_images(make):
    weights = np.arange(50, dtype=np.float32) * 2
    images, labels, sample_weights = make(weights=weights, outputs=("main", "aux"))[0]
    assert np.array_equal(sample_weights, images[:, 0, 0, 0] * 2)
    assert np.array_equal(labels["main"], labels["aux"])
