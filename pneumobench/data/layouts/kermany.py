"""The release of Kermany et al. (Kaggle's and Mendeley's "Chest X-Ray Images (Pneumonia)"): its folders and file names.

train, val and test hold NORMAL and PNEUMONIA; val may be missing. Patients and subtypes are in the files' names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from pneumobench.data.dataset import CLASSES, ORIGINS
from pneumobench.data.listing import SUFFIXES, files, is_image, is_leftover, summary
from pneumobench.errors import DataError

# The type and the prefix belong to the key: bare numbers recur across train and test for different children.
_PERSON = re.compile(r"^person(\d+)_(bacteria|virus)_", re.IGNORECASE)
_NORMAL = re.compile(r"^(NORMAL2-)?IM-(\d{4})-", re.IGNORECASE)

SPLITS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
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


def rows(folder: Path) -> tuple[list[Row], tuple[str, ...]]:
    """The images of a release's folder in the order of (origin, label, path), and a line a kind of what is not read.

    Folders of one name in another case, and Roboflow's `valid`, are read too, and so are images in folders below.
    Raises: DataError where a split or a class is missing or empty.
    """
    listed: list[Row] = []
    others: dict[str, list[str]] = {}
    try:
        for origin in ORIGINS:
            splits = _children(folder, SPLITS[origin])
            inside = [name for split in splits for name in _inside(folder, split)]
            for label, name in enumerate(CLASSES):
                images = [path for path in inside if _class_of(path) == name and is_image(folder / path)]
                if not images and origin != "val":
                    raise _missing(folder, splits[0], name)
                listed += [Row(origin, label, path) for path in sorted(images, key=lambda path: path.split("/", 2)[2])]
            read = {row.path for row in listed if row.origin == origin}
            for path in inside:
                if path not in read:
                    others.setdefault(_why(path, folder), []).append(path)
        for name in _strange(folder):
            others.setdefault("outside train, val and test", []).extend(
                path for path in _inside(folder, name) if is_image(folder / path)
            )
    except PermissionError as error:
        raise DataError(f"no permission to read {error.filename}") from None
    return listed, tuple(summary(len(paths), why, paths[0]) for why, paths in others.items() if paths)


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
    matches = _children(folder, (name,))
    return folder / matches[0] if matches else None


def _children(folder: Path, names: tuple[str, ...]) -> list[str]:
    """The names of the sub-folders that are one of these in any case."""
    return [path.name for path in sorted(folder.iterdir()) if path.name.lower() in names and path.is_dir()]


def _inside(folder: Path, name: str) -> list[str]:
    """All files of a sub-folder, or the one file of that name, by their paths in the release's folder."""
    path = folder / name
    return [f"{name}/{file}" for file in files(path)] if path.is_dir() else [name]


def _strange(folder: Path) -> list[str]:
    """What lies beside train, val and test: not the nested twin of Kaggle's archive, nor what systems leave."""
    known = {name for names in SPLITS.values() for name in names} | {folder.resolve().name.lower()}
    return [p.name for p in sorted(folder.iterdir()) if p.name.lower() not in known and not is_leftover(p.name)]


def _class_of(path: str) -> str | None:
    """NORMAL or PNEUMONIA of a path inside a release's folder; None where it is in neither's folder."""
    parts = path.split("/")
    name = parts[1].upper() if len(parts) > 2 else ""
    return name if name in CLASSES else None


def _why(path: str, folder: Path) -> str:
    """Why a file of a split is not read."""
    if _class_of(path):
        return "not an image"
    split, *below = path.split("/")
    return (
        f"{split}/{below[0]} is neither NORMAL nor PNEUMONIA" if len(below) > 1 else f"in {split}, in no class folder"
    )


def _missing(folder: Path, split: str, name: str) -> DataError:
    own = _child(folder / split, name.lower())
    if own is None:
        return DataError(f"{folder / split} has no class folder {name}; both NORMAL and PNEUMONIA are needed")
    return DataError(f"{own} holds no image ({', '.join(sorted(SUFFIXES))}); both classes are needed")
