"""A part of a split: what is known of its images at once, their pixels when asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data.dataset import CLASSES, Dataset, unreadable
from pneumobench.data.pixels import Rows, open_cache
from pneumobench.errors import DataError
from pneumobench.utils.hashing import text_hash
from pneumobench.utils.threads import Advance


class Part:
    """The images of one part; parts that are read together share one cache.

    `variant` is a word for what was done to the pixels of a part that is not what its files hold.
    """

    variant = ""
    cached = True  # whether what is computed of its pixels may be kept on disk

    def __init__(self, dataset: Dataset, source: Dataset | None = None, lost: tuple[str, ...] = ()):
        self.dataset, self.lost = dataset, lost
        self.source = source or dataset  # the images that share one cache with these

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def labels(self) -> np.ndarray:
        """(n,) int8, 1 for pneumonia."""
        return self.dataset.labels

    @property
    def patients(self) -> np.ndarray:
        """(n,) patient keys."""
        return self.dataset.patients

    @property
    def subtypes(self) -> np.ndarray:
        """(n,) "normal", "bacterial", "viral" or "unknown"."""
        return self.dataset.subtypes

    def pixels(self, view: View, advance: Advance | None = None) -> Rows:
        """Grey pixels (n, height, width) uint8, decoded now if no cache holds them.

        Raises: DataError that names the first image that cannot be read.
        """
        cache = open_cache(self.source, view, advance)
        bad = [i for i, digest in enumerate(self.dataset.hashes) if str(digest) in cache.unreadable]
        if bad:
            path = self.dataset.root / str(self.dataset.paths[bad[0]])
            raise unreadable(path, cache.unreadable[str(self.dataset.hashes[bad[0]])], len(bad))
        return cache.rows(self.dataset.hashes)

    def of_source(self, view: View) -> Rows:
        """The pixels of each distinct image of `source`, in the order of their hashes."""
        return open_cache(self.source, view).rows(np.unique(self.source.hashes))

    def readable(self, view: View, advance: Advance | None = None) -> Part:
        """This part without the images that cannot be read, if its dataset skips those; `lost` names them."""
        if not self.dataset.skip_unreadable:
            return self
        cache = open_cache(self.source, view, advance)
        bad = np.array([str(digest) in cache.unreadable for digest in self.dataset.hashes], bool)
        if not bad.any():
            return self
        lost = tuple(str(path) for path in self.dataset.paths[bad])
        rest = self.dataset.subset(~bad)
        for label, name in enumerate(CLASSES):
            if not np.any(rest.labels == label):
                raise DataError(f"no readable {name} image is left of {len(self)}; the first was {lost[0]}")
        return Part(rest, self.source, self.lost + lost)


@dataclass(frozen=True)
class Development:
    """All that a trial may see: the training and the validation images."""

    training: Part
    validation: Part
    notes: tuple[str, ...] = ()
    corrupted: Part | None = None  # the validation images made worse, where a study asks for figures on them

    def readable(self, view: View, advance: Advance | None = None) -> Development:
        """Both parts without the images that cannot be read, if the dataset skips those."""
        training = self.training.readable(view, advance)
        return replace(self, training=training, validation=self.validation.readable(view))

    @property
    def lost(self) -> tuple[str, ...]:
        """The paths of the images that `readable` left out."""
        return self.training.lost + self.validation.lost

    @property
    def digest(self) -> str:
        """12 hexadecimal digits that name this very division of the images."""
        parts = (sorted(self.training.dataset.hashes), sorted(self.validation.dataset.hashes))
        return text_hash("|".join("\n".join(part) for part in parts), 6)
