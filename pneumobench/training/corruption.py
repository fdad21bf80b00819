"""Reproducibly corrupted validation images, for a metric that is not at its ceiling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data import decoders
from pneumobench.data.pixels import Rows, stored
from pneumobench.data.subset import Part
from pneumobench.training import alterations
from pneumobench.training.augmentation import Augmentation, load_albumentations, seeds_for
from pneumobench.utils.arrays import save_array
from pneumobench.utils.hashing import digest_of
from pneumobench.utils.threads import Advance

VERSION = 1  # of `transform`: caches of another version are not used
BLUR, QUALITY, NOISE = (0.8, 1.6), (25, 60), (0.02, 0.06)  # sigma in pixels, JPEG quality, fraction of 255


def transform() -> Any:
    """Gaussian blur, JPEG compression and Gaussian noise, with strengths drawn for each image."""
    A = load_albumentations()
    return A.Compose([alterations.blur(BLUR), alterations.jpeg(QUALITY), alterations.noise(NOISE)])


class Corrupted(Part):
    """A part with blur, compression and noise added, each image seeded by `seed` and its rank by content hash.

    The same images and seed give the same pixels in every process; they are cached.
    """

    def __init__(self, part: Part, seed: int):
        super().__init__(part.dataset, part.dataset, part.lost)
        self._part, self._seed = part, seed
        self.variant = f"-corrupted{seed}v{VERSION}"

    def pixels(self, view: View, advance: Advance | None = None) -> Rows:
        """Greyscale pixels (n, height, width) uint8."""
        clean, hashes = self._part.pixels(view, advance), self.dataset.hashes
        unique, first = np.unique(hashes, return_index=True)

        def build(path: Path) -> None:
            seeds = seeds_for(self._seed, 0, np.arange(len(unique)))
            corrupted = Augmentation(transform())(clean[first], self.labels[first], seeds)
            save_array(path / "pixels.npy", corrupted)

        name = f"{digest_of(unique, 16)}-{view.height}x{view.width}{self.variant}-{decoders.version()}"
        pixels = stored("corrupted", name, build, lambda path: np.load(path / "pixels.npy", mmap_mode="r"))
        return Rows(pixels, np.searchsorted(unique, hashes))

    def of_source(self, view: View) -> Rows:
        """The pixels of each distinct image, in the order of their hashes."""
        return self.pixels(view).take(np.unique(self.dataset.hashes, return_index=True)[1])
