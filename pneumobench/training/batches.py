"""Pixels as shuffled, weighted batches, for any Keras backend."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import keras
import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data.pixels import Rows
from pneumobench.errors import PluginError
from pneumobench.training import backend, feeding
from pneumobench.training.ahead import Ahead
from pneumobench.training.augmentation import Augmentation, seeds_for
from pneumobench.training.augmenters import Augmenters


class Batches(keras.utils.PyDataset):
    """One epoch's batches: what `images` makes images of, labels (m, 1), weights (m,).

    Where all pixels fit on the device they stay there, and a batch is the rows in it; else, and with augmentation,
    batches of uint8 pixels are made ahead.

    A batch is determined by (seed, epoch, index) alone, because Keras prefetches, fetches more batches than it
    uses, and fetches the first ones before the first epoch begins. They are shuffled here: Keras is told not to, as
    what it shuffles cannot be made ahead.
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
        self._outputs = outputs
        self.error: PluginError | None = None  # what a plugin's hook raised while a batch was made
        self._augmenters = augmentation and Augmenters(augmentation, _augmenters())
        self._order = lru_cache(maxsize=3)(self._shuffled)
        self._resident: Any = None
        distinct, places = pixels.distinct()
        self._is_resident = augmentation is None and feeding.fits(distinct, view)
        if self._is_resident:
            self._resident, self._places = feeding.send(distinct[:]), places.astype(np.int32)
        threads = len(self._augmenters) if self._augmenters else 1
        self._ahead = Ahead(self._read, self._following, threads=threads, depth=2 * threads + 2)
        self._epoch = -1
        self.on_epoch_begin()

    def __len__(self) -> int:
        return -(-len(self._labels) // self._batch_size)

    def on_epoch_begin(self) -> None:
        """Reshuffle: called by Keras before each epoch, and once on creation, for the epoch 0 that Keras inspects."""
        self._epoch += 1

    @property
    def epoch(self) -> int:
        """Keras' count of epochs, which on JAX also has one for each phase, in which it inspects the batches."""
        return self._epoch

    def resume(self, epoch: int) -> None:
        """Go on as after the epoch of this count."""
        self._epoch = epoch

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self._rows(self._epoch, index)
        try:
            fed = self._places[rows] if self._is_resident else self._ahead((self._epoch, index))
        except PluginError as error:
            self.error = error
            raise
        if backend.name() == "jax":  # its arrays pass through Keras' iterators as they are; TensorFlow's do not
            fed = self.images(fed)
        labels: Any = self._labels[rows].astype(np.float32)[:, None]
        if len(self._outputs) > 1:  # the same target for every output; Keras applies the same weights to all losses
            labels = dict.fromkeys(self._outputs, labels)
        return (fed, labels) if self._weights is None else (fed, labels, self._weights[rows])

    def images(self, fed: Any) -> Any:
        """A batch's images (m, height, width, channels) float32, 0 to 255, made on the device."""
        if self._is_resident:
            return feeding.images(self._resident, self._view, fed)
        return feeding.images(fed, self._view)

    @contextmanager
    def feeding(self, model: Any) -> Iterator[None]:
        """Inside, the model is trained on these batches; on leaving, what feeds it is released.

        On TensorFlow the model's training step starts with `images`; the network itself still takes raw images.
        Raises: PluginError that a hook raised while a batch was made, in place of the backend's error around it.
        """
        if backend.name() == "tensorflow":
            step = model.train_step
            # past Keras' __setattr__, which would track it
            model.__dict__["train_step"] = lambda data: step((self.images(data[0]), *data[1:]))
        else:
            model.__dict__["_setattr_hook"] = _untracked
        try:
            yield
        except Exception as error:
            if self.error is None:
                raise
            raise self.error from error  # backends wrap it, as it was raised in their threads
        finally:
            for name in ("train_step", "_setattr_hook"):
                model.__dict__.pop(name, None)
            model.train_function = None  # it holds the pixels
            self._resident = None
            self._ahead.close()
            if self._augmenters:
                self._augmenters.close()

    def _rows(self, epoch: int, index: int) -> np.ndarray:
        size = self._batch_size
        return np.sort(self._order(epoch)[index * size : (index + 1) * size])  # in the order on disk

    def _shuffled(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((self._seed, epoch)).permutation(len(self._labels))

    def _following(self, key: tuple[int, int]) -> tuple[int, int]:
        epoch, index = key
        return (epoch, index + 1) if index + 1 < len(self) else (epoch + 1, 0)

    def _read(self, key: tuple[int, int]) -> np.ndarray:
        """The pixels of a batch, (m, height, width) uint8, augmented if they are to be."""
        rows = self._rows(*key)
        pixels = self._pixels[rows]
        if self._augmenters:
            with self._augmenters.one() as augment:
                pixels = augment(pixels, self._labels[rows], seeds_for(self._seed, key[0], rows))
        return pixels


def _untracked(name: str, value: Any) -> tuple[str, Any]:
    """Keras stores a model's state after each step on JAX, and would look through all of it for layers and variables.

    That takes one to two milliseconds a step; what is no dict it leaves alone.
    """
    return name, MappingProxyType(value) if name == "_jax_state" and isinstance(value, dict) else value


def _augmenters() -> int:
    """How many images are augmented at once: beside a GPU most cores are free, beside a CPU's training hardly one.

    OMP_NUM_THREADS, with which workers of a study divide the cores among themselves, is the most.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if (named := os.environ.get("OMP_NUM_THREADS", "")).isdigit():
        cores = min(cores, int(named))
    return max(1, cores - 2 if backend.device() == "gpu" else cores // 8)
