"""Pixels on the device as they are kept, uint8 and one channel; made into a network's images there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import psutil

from pneumobench.authoring.recipe import View
from pneumobench.data.pixels import Rows
from pneumobench.training import backend

RESIDENT = 1_000_000_000  # bytes of pixels that may stay on the device while a network trains
SHARE = 0.25  # of the memory that is free, at most
BLOCK = 256_000_000  # bytes of pixels that are sent at once for prediction


def fits(pixels: Rows, view: View) -> bool:
    """Whether these images may stay on the device during a training."""
    room = min(RESIDENT, SHARE * psutil.virtual_memory().available)
    return len(pixels) * view.height * view.width <= room


def send(pixels: np.ndarray) -> Any:
    """An array as a tensor on the device."""
    return backend.keras().ops.convert_to_tensor(pixels)


def images(pixels: Any, view: View, rows: Any = None) -> Any:
    """Grey pixels (n, height, width), of which `rows` (m,) if given, as float32 images (m, height, width, channels).

    On TensorFlow also inside a graph.
    """
    return _compiled()(pixels, rows, view.channels)


def outputs(network: Any, pixels: Rows, view: View, batch: int) -> Iterator[np.ndarray]:
    """A network's outputs (m, …) for one batch of at most `batch` images after the other."""
    size = max(1, BLOCK // (batch * view.height * view.width)) * batch
    for first in range(0, len(pixels), size):
        block = pixels[first : first + size]
        sent = send(block)
        for start in range(0, len(block), batch):
            rows = np.arange(start, min(start + batch, len(block)), dtype=np.int32)
            yield backend.outputs(network, images(sent, view, rows))


@cache
def _compiled() -> Any:
    if backend.name() != "jax":
        return _images
    import jax

    return jax.jit(_images, static_argnums=2)


def _images(pixels: Any, rows: Any, channels: int) -> Any:
    ops = backend.keras().ops
    grey = pixels if rows is None else ops.take(pixels, rows, axis=0)
    one = ops.expand_dims(ops.cast(grey, "float32"), -1)
    return one if channels == 1 else ops.tile(one, (1, 1, 1, channels))
