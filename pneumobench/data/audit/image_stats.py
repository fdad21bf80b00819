"""Measurements of an image that need no knowledge of lungs, made in one pass over the files and cached."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np

from pneumobench.data import decode, decoders, disk_cache
from pneumobench.data.dataset import Dataset
from pneumobench.data.pixels import Rows
from pneumobench.data.sanity import oddities
from pneumobench.errors import DataError
from pneumobench.utils.arrays import NewRows, new_array, save_array
from pneumobench.utils.hashing import digest_of
from pneumobench.utils.progress import Progress
from pneumobench.utils.space import is_full
from pneumobench.utils.stderr import quiet_stderr
from pneumobench.utils.threads import each

VERSION = 2  # part of the cache's key: raise it when a trait changes
SIDE = 128  # pixels a side at which brightness, border and sharpness are measured
THUMB = 64  # and of the thumbnails that near duplicates are compared by
EDGE = 4  # pixels of the border
BITS = 16  # a side of the perceptual hash
NUMBERS = 8  # measured of an image: width, height, four edges, brightness, sharpness


@dataclass(frozen=True, eq=False)
class Traits:
    """n images: `modes`, `faults` and `oddities` (n,) are words, "" where there is none.

    `width`, `height` and `bytes` (n,) are the file's; `border` (n, 4) and `brightness` (n,) mean grey values, 0 to 255;
    `sharpness` (n,) the logarithm of the variance of the Laplacian; `hashes` (n, 32) uint8 perceptual; `thumbs`
    (n, 64, 64) uint8, memory-mapped. An unreadable image has zeros.
    """

    modes: np.ndarray
    faults: np.ndarray
    oddities: np.ndarray
    width: np.ndarray
    height: np.ndarray
    bytes: np.ndarray
    border: np.ndarray
    brightness: np.ndarray
    sharpness: np.ndarray
    hashes: np.ndarray
    thumbs: Rows

    def take(self, rows: np.ndarray) -> Traits:
        """Those of these rows."""
        some = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "thumbs"}
        return Traits(**some, thumbs=self.thumbs.take(rows))


def gather(dataset: Dataset, progress: Progress) -> Traits:
    """The traits of a dataset's images, in its order. Raises: DataError where the cache cannot be written."""
    unique, first, place = np.unique(dataset.hashes, return_index=True, return_inverse=True)
    sizes = np.array([_bytes(dataset.root / str(path)) for path in dataset.paths])

    def load(folder: Path) -> Traits:
        with (folder / "words.npz").open("rb") as file, np.load(file) as archive:  # numpy leaves a torn one open
            words = {name: archive[name][place] for name in ("modes", "faults", "oddities")}
        numbers = np.load(folder / "numbers.npy")
        thumbs = np.load(folder / "thumbs.npy", mmap_mode="r")
        if len(thumbs) != len(unique):
            raise ValueError("thumbnails and images differ in number")
        return Traits(
            **words,
            width=numbers[place, 0],
            height=numbers[place, 1],
            bytes=sizes,
            border=numbers[place, 2:6],
            brightness=numbers[place, 6],
            sharpness=numbers[place, 7],
            hashes=np.load(folder / "hashes.npy")[place],
            thumbs=Rows(thumbs, place),
        )

    files = [dataset.root / str(path) for path in dataset.paths[first]]
    needed = len(unique) * (THUMB * THUMB + BITS * BITS // 8 + 8 * NUMBERS)
    name = f"{digest_of(unique, 16)}-v{VERSION}-{decoders.version()}"
    return disk_cache.stored("audit", name, lambda folder: _look(files, folder, progress), load, needed)


def _look(files: list[Path], folder: Path, progress: Progress) -> None:
    import imagehash

    numbers = np.zeros((len(files), NUMBERS))
    hashes = np.zeros((len(files), BITS * BITS // 8), np.uint8)
    words = {name: [""] * len(files) for name in ("modes", "faults", "oddities")}

    def one(row: int, thumbs: NewRows) -> None:
        try:
            image = decode.read(files[row], (SIDE, SIDE))
            words["modes"][row] = image.mode
            numbers[row, :2] = image.size
            small = image.grey.resize((SIDE, SIDE), decode.RESAMPLING)
            numbers[row, 2:] = _measured(np.asarray(small, np.float32))
            thumb = small.resize((THUMB, THUMB), decode.RESAMPLING)
            thumbs[row] = np.asarray(thumb)
            hashes[row] = np.packbits(imagehash.phash(thumb, hash_size=BITS).hash.ravel())
            words["oddities"][row] = ", ".join(oddities(files[row]))
        except ValueError as error:
            words["faults"][row] = str(error) or type(error).__name__
        except OSError as error:  # not the image's fault: not cached
            if is_full(error):
                raise
            raise DataError(f"cannot read {files[row]}: {error.strerror or error}") from error

    with (
        new_array(folder / "thumbs.npy", (len(files), THUMB, THUMB), np.uint8) as thumbs,
        quiet_stderr(),
        warnings.catch_warnings(action="ignore"),
    ):
        each(partial(one, thumbs=thumbs), range(len(files)), progress.advance)
    save_array(folder / "numbers.npy", numbers)
    save_array(folder / "hashes.npy", hashes)
    modes, faults, odd = (np.array(words[name]) for name in ("modes", "faults", "oddities"))
    np.savez(folder / "words.npz", modes=modes, faults=faults, oddities=odd)


def _measured(grey: np.ndarray) -> list[float]:
    """Mean of the four edges, of all, and the logarithm of the Laplacian's variance, for grey (128, 128)."""
    edges = [grey[:EDGE], grey[-EDGE:], grey[:, :EDGE], grey[:, -EDGE:]]
    middle = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return [*(float(edge.mean()) for edge in edges), float(grey.mean()), float(np.log1p(laplacian.var()))]


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
