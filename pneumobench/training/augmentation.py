"""Augmentation with albumentations (imported here only): greyscale batches, with a separate seed per image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np


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
        self._by_label = dict(transform) if isinstance(transform, Mapping) else {0: transform, 1: transform}
        self._lock = Lock()  # seeding and applying a transform must be atomic across threads

    def __call__(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Augmented images (n, height, width) uint8, of the same shape; `seeds` (n,) has one per image."""
        return np.stack(self.each(pixels, labels, seeds))

    def each(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> list[np.ndarray]:
        """The augmented images as a list, of whatever shape and type the transform returns."""
        augmented = []
        with self._lock:
            for image, label, seed in zip(pixels, labels, seeds, strict=True):
                transform = self._by_label.get(int(label))
                if transform is None:
                    augmented.append(image)
                    continue
                transform.set_random_seed(int(seed))
                augmented.append(transform(image=image)["image"])
        return augmented


def seeds_for(seed: int, epoch: int, rows: np.ndarray) -> np.ndarray:
    """Seeds (n,) uint32, one per training image, determined by the seed, the epoch and the image's row alone."""
    return np.array([np.random.SeedSequence((seed, epoch, int(row))).generate_state(1)[0] for row in rows], np.uint32)
