import numpy as np
import pytest

from pneumobench.authoring import knobs, registry
from pneumobench.training.augmentation import Augmentation, seeds_for

pytestmark = pytest.mark.slow

OFF = {"geometry": 0.0, "exposure": 0.0, "quality": 0.0}


def augmentation(**chosen):
    plugin = registry.load("augmented")
    return Augmentation(knobs.call(plugin.augment, knobs=knobs.resolve(plugin, chosen)))


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (8, 40, 30), dtype=np.uint8), np.array([0, 1] * 4)


def test_it_keeps_shape_and_type_and_is_a_function_of_the_seed(images):
    pixels, labels = images
    seeds = seeds_for(0, 1, np.arange(8))
    once, again = augmentation()(pixels, labels, seeds), augmentation()(pixels, labels, seeds)
    assert (once.shape, once.dtype) == (pixels.shape, np.uint8)
    assert np.array_equal(once, again)
    order = np.array([5, 2, 7])
    assert np.array_equal(augmentation()(pixels[order], labels[order], seeds[order]), once[order])
    next_epoch = augmentation()(pixels, labels, seeds_for(0, 2, np.arange(8)))
    assert not np.array_equal(once, next_epoch), "each epoch is augmented differently"


@pytest.mark.parametrize("strength", [0.0, 1.0, 2.0])
def test_every_strength_of_the_space_works(images, strength):
    pixels, labels = images
    kinds = dict.fromkeys(OFF, strength)
    changed = augmentation(**kinds, normal_extra=2.0)(pixels, labels, seeds_for(3, 1, np.arange(8)))
    assert np.array_equal(changed, pixels) is (strength == 0)


def test_images_are_mirrored_only_with_flip(images):
    pixels, labels = images
    seeds = seeds_for(0, 1, np.arange(8))
    assert np.array_equal(augmentation(**OFF)(pixels, labels, seeds), pixels)
    mirrored = augmentation(**OFF, flip=True)(pixels, labels, seeds)
    assert all(np.array_equal(m, p) or np.array_equal(m, p[:, ::-1]) for m, p in zip(mirrored, pixels, strict=True))
    assert not np.array_equal(mirrored, pixels)


def test_the_minority_class_can_be_augmented_more(images):
    pixels = np.full((400, 24, 24), 128, np.uint8)
    labels = np.array([0, 1] * 200)
    strong = {"geometry": 0.0, "quality": 0.0, "normal_extra": 2.0}
    changed = augmentation(**strong)(pixels, labels, seeds_for(0, 1, np.arange(400))).astype(float).mean((1, 2))
    assert np.std(changed[labels == 0]) > 1.4 * np.std(changed[labels == 1])


def test_images_of_a_label_without_a_transform_are_unchanged(images):
    pixels, labels = images
    only_normal = Augmentation({0: augmentation().transforms[0]})
    changed = only_normal(pixels, labels, seeds_for(0, 1, np.arange(8)))
    assert np.array_equal(changed[labels == 1], pixels[labels == 1])
    assert not np.array_equal(changed[labels == 0], pixels[labels == 0])
