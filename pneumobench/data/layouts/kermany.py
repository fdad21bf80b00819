"""The release of Kermany et al. (Kaggle's and Mendeley's "Chest X-Ray Images (Pneumonia)"): its folders and file names.

train, val and test hold NORMAL and PNEUMONIA; val may be missing. Patients and subtypes are in the files' names.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from pneumobench.data.dataset import CLASSES, ORIGINS
from pneumobench.data.decode import SUFFIXES
from pneumobench.errors import DataError

# The type and the prefix belong to the key: bare numbers recur across train and test for different children.
_PERSON = re.compile(r"^person(\d+)_(bacteria|virus)_", re.IGNORECASE)
_NORMAL = re.compile(r"^(NORMAL2-)?IM-(\d{4})-", re.IGNORECASE)

SUBTYPES = {"bacteria": "bacterial", "virus": "viral"}


def patient_key(filename: str) -> str | None:
    """The patient of a file of the "Chest X-Ray Images (Pneumonia)" release, or None where no rule matches."""
    if match := _PERSON.match(filename):
        return f"person{int(match[1])}_{match[2].lower()}"
    if match := _NORMAL.match(filename):
        return f"{(match[1] or '').upper()}IM-{match[2]}"
    return None


def subtype(filename: str, label: int) -> str:
    """ "normal", "bacterial", "viral", or "unknown" for a pneumonia whose file name does not say."""
    if label == 0:
        return "normal"
    match = _PERSON.match(filename)
    return SUBTYPES[match[2].lower()] if match else "unknown"


class Row(NamedTuple):
    """One image: "train", "val" or "test", 1 for pneumonia, and its path in the release's folder."""

    origin: str
    label: int
    path: str

    @property
    def file(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


def rows(folder: Path) -> list[Row]:
    """The images of a release's folder in the order of (origin, label, file name).

    Raises: DataError where a split or a class is missing or empty.
    """
    listed = []
    for origin in ORIGINS:
        split = _child(folder, origin)
        if split is None:
            continue  # Mendeley's release has no val; train and test are there in a release's folder
        for label, name in enumerate(CLASSES):
            listed += [Row(origin, label, path) for path in _images(split, name, required=origin != "val")]
    return listed


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
