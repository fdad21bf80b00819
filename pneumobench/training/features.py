"""Features of a frozen network: computed once per set of images, network and size, then cached."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data import decoders
from pneumobench.data.disk_cache import stored
from pneumobench.data.subset import Part
from pneumobench.training import feeding
from pneumobench.utils.arrays import new_array, save_array
from pneumobench.utils.hashing import digest_of
from pneumobench.utils.progress import Progress

BATCH = 64


def features(network: Any, part: Part, view: View, progress: Progress | None = None) -> tuple[np.ndarray, float]:
    """A network's outputs (n, d) float32 for a part's images, and the seconds that the one computation took.

    They are computed for all images that share a cache with the part, so that one computation serves the folds and
    the training and validation parts of any split; the test images are a separate set.
    """
    rows = part.pixels(view)  # raises for the first image that cannot be read
    if not part.cached:
        return np.concatenate(list(feeding.outputs(network, rows, view, BATCH))), 0.0
    hashes, width = np.unique(part.source.hashes), network.output_shape[1]
    name = f"{digest_of(hashes, 16)}-{view.height}x{view.width}x{view.channels}{part.variant}-{digest(network)}"
    name += f"-{decoders.version()}"

    def build(path: Path) -> None:
        began = time.perf_counter()
        rows = part.of_source(view)
        if progress:
            progress.stage(f"computing features of {len(hashes):,} images")
        with new_array(path / "features.npy", (len(hashes), width), np.float32) as computed:
            done = 0
            for batch in feeding.outputs(network, rows, view, BATCH):
                computed[done:] = batch
                done += len(batch)
                if progress:
                    progress.advance(done, len(hashes))
        save_array(path / "hashes.npy", hashes)
        (path / "seconds.json").write_text(json.dumps(time.perf_counter() - began))

    def load(path: Path) -> tuple[np.ndarray, float]:
        cached_hashes, cached = np.load(path / "hashes.npy"), np.load(path / "features.npy", mmap_mode="r")
        if len(cached_hashes) != len(cached):
            raise ValueError("features and hashes differ in number")
        rows = np.searchsorted(cached_hashes, part.dataset.hashes)
        return cached[rows], json.loads((path / "seconds.json").read_text())

    return stored("features", name, build, load, 4 * len(hashes) * width)


def digest(network: Any) -> str:
    """32 hexadecimal digits over a network's structure and weights; layer names are ignored."""
    names = {layer.name: index for index, layer in enumerate(network._flatten_layers())}
    structure = json.dumps(_renamed(network.get_config(), names), sort_keys=True, default=str)
    blake = hashlib.blake2b(structure.encode(), digest_size=16)
    for array in network.get_weights():
        blake.update(np.ascontiguousarray(array).tobytes())
    return blake.hexdigest()


def _renamed(value: Any, names: dict[str, int]) -> Any:
    """A configuration in which each layer's name, which contains a global counter, is replaced by its index."""
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
