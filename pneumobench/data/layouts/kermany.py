"""The release of Kermany et al. (Kaggle's and Mendeley's "Chest X-Ray Images (Pneumonia)"): its folders and file names.

train, val and test hold NORMAL and PNEUMONIA; val may be missing. Patients and subtypes are in the files' names.

    pneumobench data fetch kaggle
    pneumobench run baseline --data data/chest_xray
"""

from __future__ import annotations

import re
from pathlib import Path

from pneumobench.data.dataset import CLASSES, ORIGINS
from pneumobench.data.layout import Layout, Listing, Reading, Row
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


def read(path: Path, reading: Reading) -> Listing:
    """The images of a release's folder, or of its nested twin, in the order of (origin, label, path).

    Folders of one name in another case, and Roboflow's `valid`, are read too, and so are images in folders below.
    Raises: DataError where a split or a class is missing or empty.
    """
    folder = release_folder(path.expanduser())
    listed: list[Row] = []
    others: dict[str, list[str]] = {}
    try:
        for origin in ORIGINS:
            splits = _children(folder, SPLITS[origin])
            inside = [name for split in splits for name in _inside(folder, split)]
            for label, name in enumerate(CLASSES):
                images = [image for image in inside if _class_of(image) == name and is_image(folder / image)]
                if not images and origin != "val":
                    raise _missing(folder, splits[0], name)
                images.sort(key=lambda image: image.split("/", 2)[2])
                listed += [_row(image, origin, label) for image in images]
            own = {row.path for row in listed if row.split == origin}
            for name in inside:
                if name not in own:
                    others.setdefault(_why(name, folder), []).append(name)
        for name in _strange(folder):
            others.setdefault("outside train, val and test", []).extend(
                image for image in _inside(folder, name) if is_image(folder / image)
            )
    except PermissionError as error:
        raise DataError(f"no permission to read {error.filename}") from None
    return Listing(folder, listed, tuple(summary(len(names), why, names[0]) for why, names in others.items() if names))


def is_own(path: Path) -> bool:
    """Whether a folder, or the one inside it, holds train and test, and one of them a class folder."""
    try:
        folder = release_folder(path.expanduser())
        return any(_child(folder / split, name.lower()) for split in ("train", "test") for name in CLASSES)
    except (DataError, OSError):
        return False


def _row(path: str, split: str, label: int) -> Row:
    name = path.rpartition("/")[2]
    return Row(path, label, split, patient_key(name), subtype(name, label))


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


layout = Layout(
    is_own=is_own,
    read=read,
    citation="Kermany et al., Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep Learning, "
    "Cell 172, 2018; doi:10.17632/rscbjbr9sj",
    licence="CC BY 4.0",
    fetch="pneumobench data fetch kaggle",
    priority=1,
)
