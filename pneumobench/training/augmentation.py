"""Albumentations' only door: transforms applied to grey batches, each image with a seed of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np


def load_albumentations() -> Any:
    """The albumentations module, kept from asking the network for updates and from starting threads."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations
    import cv2

    cv2.setNumThreads(1)  # the training step wants the cores
    return albumentations


class Augmentation:
    """A transform, or one for each label, as a pure function of images, labels and seeds.

    A label without a transform is left as it is.
    """

    def __init__(self, transform: Any | Mapping[int, Any]):
        self._by_label = dict(transform) if isinstance(transform, Mapping) else {0: transform, 1: transform}
        self._lock = Lock()  # seeding a transform and applying it must not be torn apart by another thread

    def __call__(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Images (n, height, width) uint8 of the same shape, changed by one seed each (n,)."""
        return np.stack(self.each(pixels, labels, seeds))

    def each(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> list[np.ndarray]:
        """The same images one by one, whatever shape and type a transform has given them."""
        changed = []
        with self._lock:
            for image, label, seed in zip(pixels, labels, seeds, strict=True):
                transform = self._by_label.get(int(label))
                if transform is None:
                    changed.append(image)
                    continue
                transform.set_random_seed(int(seed))
                changed.append(transform(image=image)["image"])
        return changed


def seeds_for(seed: int, epoch: int, rows: np.ndarray) -> np.ndarray:
    """A seed (n,) uint32 for each training image's row in each epoch, the same whenever it is asked for."""
    return np.array([np.random.SeedSequence((seed, epoch, int(row))).generate_state(1)[0] for row in rows], np.uint32)
