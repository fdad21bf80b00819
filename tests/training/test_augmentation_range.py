"""An augmentation that changes the images' type, shape or range is stopped with one line."""

import numpy as np
import pytest

from pneumobench.errors import PluginError
from pneumobench.training.augmentation import Augmentation

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)


class Transform:
    def __init__(self, function):
        self._function = function

    def set_random_seed(self, seed):
        self._rng = np.random.default_rng(seed)

    def __call__(self, image):
        return {"image": self._function(image)}


def augment(function):
    augmentation = Augmentation(Transform(function))
    augmentation(IMAGES, np.array([0, 1, 0, 1]), np.arange(4))
    augmentation.check(8, 8)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda image: image / np.float32(255), "float32"),
        (lambda image: image * 1.0, "float64"),
        (lambda image: image * np.nan, "float64"),
        (lambda image: np.stack([image] * 3, -1), r"\(8, 8, 3\)"),
        (lambda image: image[:4], r"\(4, 8\)"),
        (lambda image: None, "None"),
        (lambda image: image // 255, "the range 0 to 255"),
        (lambda image: image * np.uint8(2), "`augment` overflows"),
        (lambda image: image + np.uint8(60), "`augment` overflows"),
        (lambda image: (image * 1.3).astype(np.uint8), "`augment` overflows"),
    ],
)
def test_another_type_shape_or_range_is_told(function, why):
    with pytest.raises(PluginError, match=why):
        augment(function)


@pytest.mark.parametrize(
    "function",
    [
        lambda image: image,
        lambda image: 255 - image,
        lambda image: np.clip(image * 1.3, 0, 255).astype(np.uint8),
        lambda image: np.rot90(image),
        lambda image: np.where(image > 127, 255 - image, image),
        lambda image: np.zeros_like(image) + 40,
    ],
)
def test_what_keeps_them_is_let_through(function):
    augment(function)
