"""A folder of images as a dataset: listed, hashed, each image with its patient; none is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pneumobench.data.dataset import CLASSES, Dataset, unreadable
from pneumobench.data.hashes import content_hashes, printable
from pneumobench.data.layouts import kermany, phantom
from pneumobench.data.patients import identify
from pneumobench.errors import DataError
from pneumobench.utils.threads import Advance


def load_folder(root: Path | str, *, skip_unreadable: bool = False, advance: Advance | None = None) -> Dataset:
    """List and hash the images of a folder in Kaggle's or Mendeley's layout; decode none.

    Raises: DataError where the folder, a split or a class is missing or empty, or a file cannot be read.
    """
    folder = kermany.release_folder(Path(root).expanduser())
    rows, not_read = kermany.rows(folder)
    hashed = content_hashes(folder, [row.path for row in rows], advance)
    failed = [(row.path, why) for row, (_, why) in zip(rows, hashed, strict=True) if why]
    if failed and not skip_unreadable:
        raise unreadable(folder / failed[0][0], failed[0][1], len(failed))
    rows = [row for row, (_, why) in zip(rows, hashed, strict=True) if not why]
    hashes = np.array([digest for digest, why in hashed if not why])
    patients, unmatched = identify([kermany.patient_key(row.file) for row in rows], hashes)
    dataset = Dataset(
        root=folder,
        name=_name(folder),
        paths=np.array([row.path for row in rows]),
        labels=np.array([row.label for row in rows], np.int8),
        patients=patients,
        subtypes=np.array([kermany.subtype(row.file, row.label) for row in rows]),
        origins=np.array([row.origin for row in rows]),
        hashes=hashes,
        unmatched=unmatched,
        unreadable=tuple(printable(path) for path, _ in failed),
        not_read=not_read,
        skip_unreadable=skip_unreadable,
    )
    for origin in ("train", "test"):  # a class may have lost its last image to --skip-unreadable
        for label, name in enumerate(CLASSES):
            if not np.any((dataset.origins == origin) & (dataset.labels == label)):
                raise DataError(f"no readable image in {folder / origin / name}: both classes are needed")
    return dataset


def _name(folder: Path) -> str:
    """The folder's name, but "phantom" is reserved for the marked phantom."""
    if (folder / phantom.MARK).exists():
        return "phantom"
    name = printable(folder.resolve().name)
    return "folder-phantom" if name == "phantom" else name
