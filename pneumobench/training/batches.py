"""Decoded images as shuffled, weighted batches, for any Keras backend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data.decode import as_batch
from pneumobench.data.pixels import Rows
from pneumobench.errors import PluginError
from pneumobench.training.augmentation import Augmentation, seeds_for


class Batches(keras.utils.PyDataset):
    """One epoch's batches (images float32 0 to 255, labels (m, 1), weights (m,)).

    A batch is determined by (seed, epoch, index) alone, because Keras prefetches, fetches more batches than it
    uses, and fetches the first ones before the first epoch begins.
    """

    def __init__(
        self,
        pixels: Rows,
        labels: np.ndarray,
        view: View,
        *,
        batch_size: int,
        seed: int,
        weights: np.ndarray | None = None,
        augmentation: Augmentation | None = None,
        outputs: tuple[str, ...] = (),
    ):
        super().__init__(workers=1)
        self._pixels, self._labels, self._weights = pixels, labels, weights
        self._view, self._batch_size, self._seed = view, batch_size, seed
        self._augmentation, self._outputs = augmentation, outputs
        self.error: PluginError | None = None  # what a plugin's hook raised while a batch was made
        self._epoch = -1
        self.on_epoch_begin()

    def __len__(self) -> int:
        return -(-len(self._labels) // self._batch_size)

    def on_epoch_begin(self) -> None:
        """Reshuffle: called by Keras before each epoch, and once on creation, for the epoch 0 that Keras inspects."""
        self._epoch += 1
        self._order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._labels))

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = np.sort(self._order[index * self._batch_size : (index + 1) * self._batch_size])  # in the order on disk
        pixels = self._pixels[rows]
        if self._augmentation:
            try:
                pixels = self._augmentation(pixels, self._labels[rows], seeds_for(self._seed, self._epoch, rows))
            except PluginError as error:
                self.error = error
                raise
        images = as_batch(pixels, self._view)
        labels: Any = self._labels[rows].astype(np.float32)[:, None]
        if len(self._outputs) > 1:  # the same target for every output; Keras applies the same weights to all losses
            labels = dict.fromkeys(self._outputs, labels)
        return (images, labels) if self._weights is None else (images, labels, self._weights[rows])
