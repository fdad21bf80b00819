"""Decoded images, memory-mapped: decoded once, in parallel, shared by every process that asks again."""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data import decode, decoders
from pneumobench.data.dataset import Dataset
from pneumobench.data.disk_cache import stored
from pneumobench.errors import DataError
from pneumobench.utils.arrays import NewRows, new_array, save_array
from pneumobench.utils.hashing import digest_of
from pneumobench.utils.space import is_full
from pneumobench.utils.stderr import quiet_stderr
from pneumobench.utils.threads import Advance, each


class Cache:
    """The pixels of one set of contents at one size: (m, height, width) uint8, a row for each distinct hash.

    Rows are looked up by content hash, so neither file names nor their order matter.
    """

    def __init__(self, path: Path):
        self._hashes: np.ndarray = np.load(path / "hashes.npy")
        self._pixels: np.ndarray = np.load(path / "pixels.npy", mmap_mode="r")
        self.unreadable: dict[str, str] = json.loads((path / "unreadable.json").read_text())
        if len(self._pixels) != len(self._hashes):
            raise ValueError("pixels and hashes differ in number")

    def rows(self, hashes: np.ndarray) -> Rows:
        """The rows of these hashes, as an array that reads from disk what is asked of it."""
        return Rows(self._pixels, np.searchsorted(self._hashes, hashes))


class Rows:
    """Some rows of a memory-mapped array, in any order: `rows[indices]` is an array in memory."""

    def __init__(self, pixels: np.ndarray, index: np.ndarray):
        self._pixels, self._index = pixels, index

    def __len__(self) -> int:
        return len(self._index)

    def take(self, rows: np.ndarray) -> Rows:
        """These rows in this order, repeats allowed; nothing is read."""
        return Rows(self._pixels, self._index[rows])

    def distinct(self) -> tuple[Rows, np.ndarray]:
        """The rows without repeats, and the place (n,) of each row among them; nothing is read."""
        index, places = np.unique(self._index, return_inverse=True)
        return Rows(self._pixels, index), places

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        return self._pixels[self._index[rows]]


def open_cache(dataset: Dataset, view: View, advance: Advance | None = None) -> Cache:
    """The cache of a dataset's images at a view's size, built where there is none or only a damaged one."""
    unique, first = np.unique(dataset.hashes, return_index=True)
    name = f"{digest_of(unique, 16)}-{view.height}x{view.width}-{decoders.version()}"
    build = partial(_build, dataset=dataset, unique=unique, first=first, view=view, advance=advance)
    return stored("images", name, build, Cache, len(unique) * view.height * view.width)


def _build(
    path: Path, dataset: Dataset, unique: np.ndarray, first: np.ndarray, view: View, advance: Advance | None
) -> None:
    files = [dataset.root / str(p) for p in dataset.paths[first]]

    def read(row: int, pixels: NewRows) -> str:
        try:
            pixels[row] = decode.decode(files[row], view)
        except ValueError as error:
            return str(error)
        except OSError as error:  # not the image's fault: not cached
            if is_full(error):
                raise
            raise DataError(f"cannot read {files[row]}: {error.strerror}") from error
        return ""

    shape = (len(unique), view.height, view.width)

    # Pillow decodes outside the interpreter's lock; libtiff and others write to the screen as they please
    with (
        new_array(path / "pixels.npy", shape, np.uint8) as pixels,
        quiet_stderr(),
        warnings.catch_warnings(action="ignore"),
    ):
        reasons = each(partial(read, pixels=pixels), range(len(files)), advance)
    unreadable = {str(unique[row]): reason for row, reason in enumerate(reasons) if reason}
    save_array(path / "hashes.npy", unique)
    (path / "unreadable.json").write_text(json.dumps(unreadable))
