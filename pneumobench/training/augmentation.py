"""Augmentation with albumentations (imported here only): greyscale batches, with a separate seed per image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np

from pneumobench.errors import PluginError
from pneumobench.training import returned

SEEDS = 8  # tried for a transform that acts with some probability only
BRIGHT, DARK = 235, 20


def load_albumentations() -> Any:
    """The albumentations module, without its online update check and without OpenCV's threads."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations
    import cv2

    cv2.setNumThreads(1)  # leave the cores to the training step
    return albumentations


class Augmentation:
    """A transform, or one per label, as a pure function of images, labels and seeds.

    Images of a label without a transform are not changed.
    """

    def __init__(self, transform: Any | Mapping[int, Any]):
        self.transforms = dict(transform) if isinstance(transform, Mapping) else {0: transform, 1: transform}
        self._lock = Lock()  # seeding and applying a transform must be atomic across threads

    def __call__(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Augmented images (n, height, width) uint8, of the same shape; `seeds` (n,) has one per image.

        Raises: PluginError where a transform changes shape, type or range.
        """
        return returned.augmented(self.each(pixels, labels, seeds), pixels)

    def each(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> list[np.ndarray]:
        """The augmented images as a list, of whatever shape and type the transform returns."""
        augmented = []
        with self._lock:
            for image, label, seed in zip(pixels, labels, seeds, strict=True):
                transform = self.transforms.get(int(label))
                if transform is None:
                    augmented.append(image)
                    continue
                transform.set_random_seed(int(seed))
                augmented.append(transform(image=image)["image"])
        return augmented

    def check(self, height: int, width: int) -> None:
        """Raises: PluginError for a transform that changes shape or type, or overflows, on even grey images.

        One seed for every grey value: what a transform draws at random is then the same, and its output changes little
        from one value to the next, except where bright becomes black because uint8 counts from 0 again after 255.
        """
        greys = np.arange(0, 256, 5, dtype=np.uint8)
        images = np.broadcast_to(greys[:, None, None], (len(greys), height, width)).copy()
        for label in self.transforms:
            for seed in range(SEEDS):
                made = self(images, np.full(len(greys), label), np.full(len(greys), seed, np.uint32)).astype(int)
                wrapped = ((made[:-1] >= BRIGHT) & (made[1:] <= DARK)).mean(axis=(1, 2)) > 0.25
                if wrapped.any():
                    grey = int(greys[1:][wrapped][0])
                    raise PluginError(
                        f"`augment` overflows: grey {grey - 5} becomes bright and {grey} black, as uint8 counts from 0 "
                        "again after 255; clip to 0 to 255"
                    )


def seeds_for(seed: int, epoch: int, rows: np.ndarray) -> np.ndarray:
    """Seeds (n,) uint32, one per training image, determined by the seed, the epoch and the image's row alone."""
    return np.array([np.random.SeedSequence((seed, epoch, int(row))).generate_state(1)[0] for row in rows], np.uint32)
