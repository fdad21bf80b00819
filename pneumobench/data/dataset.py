"""A dataset is arrays and paths, not images: what is known of each X-ray before one is decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.data import dicom
from pneumobench.data.hashes import content_hashes, printable
from pneumobench.data.patients import identify, subtype
from pneumobench.errors import DataError
from pneumobench.utils.hashing import digest_of
from pneumobench.utils.threads import Advance

CLASSES = ("NORMAL", "PNEUMONIA")
ORIGINS = ("train", "val", "test")
SUFFIXES = {".jpeg", ".jpg", ".png", ".bmp", ".pgm", ".tif", ".tiff", ".gif", ".webp"} | dicom.SUFFIXES
ARRAYS = ("paths", "labels", "patients", "subtypes", "origins", "hashes")
PHANTOM_MARK = "phantom.json"


@dataclass(frozen=True, eq=False)
class Dataset:
    """n images as arrays of length n, in the order of (origin, label, file name).

    `labels` int8 (1 is pneumonia); `patients`, `subtypes`, `origins` ("train", "val", "test"), `hashes`
    (BLAKE2b of the bytes, hexadecimal) and `paths` (relative to `root`, with forward slashes) are strings.
    """

    root: Path
    name: str
    paths: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    subtypes: np.ndarray
    origins: np.ndarray
    hashes: np.ndarray
    unmatched: int = 0
    unreadable: tuple[str, ...] = ()

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
        return replace(self, **{name: getattr(self, name)[rows] for name in ARRAYS})


def joined(first: Dataset, second: Dataset) -> Dataset:
    """The images of two subsets of one dataset."""
    arrays: dict[str, Any] = {n: np.concatenate([getattr(first, n), getattr(second, n)]) for n in ARRAYS}
    return replace(first, **arrays)


def load(root: Path | str, *, skip_unreadable: bool = False, advance: Advance | None = None) -> Dataset:
    """List and hash the images of a folder in Kaggle's or Mendeley's layout; decode none.

    Raises: DataError where the folder, a split or a class is missing or empty, or a file cannot be read.
    """
    root = Path(root).expanduser()
    folder = release_folder(root)
    found: list[tuple[str, int, str]] = []
    for origin in ORIGINS:
        split = _child(folder, origin)
        if split is None:
            continue  # Mendeley's release has no val; train and test were asked for above
        for label, name in enumerate(CLASSES):
            images = _images(split, name, required=origin != "val")
            found += [(origin, label, path) for path in images]
    digests = content_hashes(folder, [path for *_, path in found], advance)
    failed = [(path, why) for (*_, path), (_, why) in zip(found, digests, strict=True) if why]
    if failed and not skip_unreadable:
        raise unreadable(folder / failed[0][0], failed[0][1], len(failed))
    kept = [(*item, digest) for item, (digest, why) in zip(found, digests, strict=True) if not why]
    hashes = np.array([digest for *_, digest in kept])
    files = [path.rpartition("/")[2] for _, _, path, _ in kept]
    patients, unmatched = identify(files, hashes)
    dataset = Dataset(
        root=folder,
        name=_name(folder),
        paths=np.array([path for _, _, path, _ in kept]),
        labels=np.array([label for _, label, _, _ in kept], np.int8),
        patients=patients,
        subtypes=np.array([subtype(file, label) for file, (_, label, *_) in zip(files, kept, strict=True)]),
        origins=np.array([origin for origin, *_ in kept]),
        hashes=hashes,
        unmatched=unmatched,
        unreadable=tuple(printable(path) for path, _ in failed),
    )
    for origin in ("train", "test"):  # a class may have lost its last image to --skip-unreadable
        for label, name in enumerate(CLASSES):
            if not np.any((dataset.origins == origin) & (dataset.labels == label)):
                raise DataError(f"no readable image in {folder / origin / name}: both classes are needed")
    return dataset


def unreadable(path: Path, why: str, count: int) -> DataError:
    """An error of one line: the first unreadable file, its fault, how many more, and the way on."""
    others = f" (and {count - 1} more)" if count > 1 else ""
    return DataError(
        f"cannot read {printable(str(path))}{others}: {why}. Mend or remove it, or go on without with --skip-unreadable"
    )


def _name(folder: Path) -> str:
    """The folder's name, but "phantom" for the marked phantom and for it alone."""
    if (folder / PHANTOM_MARK).exists():
        return "phantom"
    name = printable(folder.resolve().name)
    return "folder-phantom" if name == "phantom" else name


def release_folder(root: Path) -> Path:
    """`root`, or the folder of the same kind inside it (Kaggle's archive holds a nested twin)."""
    try:
        if not root.exists():
            raise DataError(f"no folder {root}; it must hold train and test, each with NORMAL and PNEUMONIA")
        if not root.is_dir():
            raise DataError(f"{root} is a file; the data is a folder that holds train and test")
        inside = [p for p in sorted(root.iterdir()) if p.is_dir() and p.name != "__MACOSX"]
        for folder in (root, *inside):
            if _child(folder, "train") and _child(folder, "test"):
                return folder
    except PermissionError as error:
        raise DataError(f"no permission to read {error.filename}") from None
    missing = [name for name in ("train", "test") if not _child(root, name)]
    raise DataError(
        f"{root} has no folder {' or '.join(missing)}; it must hold train and test, "
        f"each with NORMAL and PNEUMONIA. Found: {', '.join(p.name for p in inside) or 'no folder'}"
    )


def _child(folder: Path, name: str) -> Path | None:
    """The sub-folder of a name in any case."""
    matches = [p for p in sorted(folder.iterdir()) if p.name.lower() == name.lower() and p.is_dir()]
    return matches[0] if matches else None


def _images(split: Path, name: str, *, required: bool) -> list[str]:
    """The images of a class, sorted, by their paths inside the release's folder."""
    try:
        folder = _child(split, name)
        if folder is None:
            if not required:
                return []
            raise DataError(f"{split} has no class folder {name}; both NORMAL and PNEUMONIA are needed")
        files = [
            f"{split.name}/{folder.name}/{file}"
            for file in sorted(os.listdir(folder))
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in SUFFIXES
        ]
    except PermissionError as error:
        raise DataError(f"no permission to read {error.filename}") from None
    if required and not files:
        raise DataError(f"{folder} holds no image ({', '.join(sorted(SUFFIXES))}); both classes are needed")
    return files
