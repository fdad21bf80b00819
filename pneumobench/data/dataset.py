"""A dataset is arrays and paths, not images: what is known of each X-ray before one is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.data.hashes import printable
from pneumobench.errors import DataError
from pneumobench.utils.hashing import digest_of

CLASSES = ("NORMAL", "PNEUMONIA")
ORIGINS = ("train", "val", "test")
ARRAYS = ("paths", "labels", "patients", "keys", "subtypes", "origins", "hashes")


@dataclass(frozen=True, eq=False)
class Dataset:
    """n images as arrays of length n, in the order of (origin, label, file name).

    `labels` int8 (1 is pneumonia); `patients`, `subtypes`, `origins` ("train", "val", "test"), `hashes`
    (BLAKE2b of the bytes, hexadecimal) and `paths` (relative to `root`, with forward slashes) are strings.
    `keys` are the patient keys as given, "" where there is none; in `patients` identical files have united them.
    `columns` are what else is known of each image (view, age, sex, site and any other), as text, "" where it is not.
    `unmatched` counts the images without a patient key, `unreadable` names the files left out, `not_read` has a
    line for each kind of files that the layout passes over, `notes` what else was decided while they were listed,
    `layouts` the names of the layouts that listed them;
    `skip_unreadable` says that images which cannot be decoded are left out.
    """

    root: Path
    name: str
    paths: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    keys: np.ndarray
    subtypes: np.ndarray
    origins: np.ndarray
    hashes: np.ndarray
    unmatched: int = 0
    unreadable: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    skip_unreadable: bool = False
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    layouts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits over contents, labels and the side of the lockbox; the order does not matter."""
        side = np.where(self.origins == "test", "test", "development")
        return digest_of((f"{s} {y} {h}" for s, y, h in zip(side, self.labels, self.hashes, strict=True)), 16)

    @property
    def is_phantom(self) -> bool:
        """Whether the images are the built-in synthetic ones."""
        return self.name == "phantom"

    def subset(self, rows: np.ndarray) -> Dataset:
        """The images of these rows (indices or a mask), and nothing of the others."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, **{name: getattr(self, name)[rows] for name in ARRAYS}, columns=columns)


def joined(first: Dataset, second: Dataset) -> Dataset:
    """The images of two subsets of one dataset."""
    arrays: dict[str, Any] = {n: np.concatenate([getattr(first, n), getattr(second, n)]) for n in ARRAYS}
    columns = {name: np.concatenate([values, second.columns[name]]) for name, values in first.columns.items()}
    return replace(first, **arrays, columns=columns)


def ordered(dataset: Dataset) -> Dataset:
    """The images in the order of origin and label, and within these as they are."""
    sides = np.array([ORIGINS.index(origin) for origin in dataset.origins.tolist()])
    return dataset.subset(np.lexsort((np.arange(len(dataset)), dataset.labels, sides)))


def unreadable(path: Path, why: str, count: int) -> DataError:
    """An error of one line: the first unreadable file, its fault, how many more there are, and what to do."""
    others = f" (and {count - 1} more)" if count > 1 else ""
    return DataError(
        f"cannot read {printable(str(path))}{others}: {why}. "
        "Repair or remove it, or leave it out with --skip-unreadable"
    )
