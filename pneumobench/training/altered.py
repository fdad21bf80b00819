"""A part of a split whose images were altered in memory: any model reads it as it reads the part itself."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pneumobench.authoring.recipe import View
from pneumobench.data.decode import RESAMPLING
from pneumobench.data.pixels import Rows
from pneumobench.data.subset import Part
from pneumobench.training.alterations import SIDE
from pneumobench.utils.threads import Advance


class Altered(Part):
    """A part with the given pixels (n, SIDE, SIDE) uint8 in place of its own, resized to each model's view."""

    cached = False

    def __init__(self, part: Part, grey: np.ndarray):
        super().__init__(part.dataset, part.dataset, part.lost)
        self._grey, self._resized = grey, dict[tuple[int, int], np.ndarray]()

    def pixels(self, view: View, advance: Advance | None = None) -> Rows:
        """Grey pixels (n, height, width) uint8."""
        size = (view.width, view.height)
        if size not in self._resized:
            same = size == (SIDE, SIDE)
            self._resized[size] = self._grey if same else np.stack([_small(image, size) for image in self._grey])
        return Rows(self._resized[size], np.arange(len(self)))


def of_part(part: Part, advance: Advance | None = None) -> np.ndarray:
    """A part's images as they are altered, (n, SIDE, SIDE) uint8."""
    return part.pixels(View(SIDE, SIDE, channels=1), advance)[:]


def _small(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize(size, RESAMPLING))
