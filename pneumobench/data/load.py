"""A folder of images as a dataset: listed by its layout, hashed, each image with its patient; none is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pneumobench.data import detect
from pneumobench.data.dataset import CLASSES, Dataset, unreadable
from pneumobench.data.hashes import content_hashes, printable
from pneumobench.data.layout import Listing, Row
from pneumobench.data.layouts import phantom
from pneumobench.data.patients import identify
from pneumobench.errors import DataError
from pneumobench.utils.threads import Advance


def load_folder(root: Path | str, *, skip_unreadable: bool = False, advance: Advance | None = None) -> Dataset:
    """List and hash the images of a folder, or of a file that lists or holds them; decode none.

    Raises: DataError where the folder, a split or a class is missing or empty, or a file cannot be read.
    """
    listing = detect.read(Path(root).expanduser())
    hashed = content_hashes(listing.root, [row.path for row in listing.rows], advance)
    failed = [(row.path, why) for row, (_, why) in zip(listing.rows, hashed, strict=True) if why]
    if failed and not skip_unreadable:
        raise unreadable(listing.root / failed[0][0], failed[0][1], len(failed))
    rows = [row for row, (_, why) in zip(listing.rows, hashed, strict=True) if not why]
    hashes = np.array([digest for digest, why in hashed if not why])
    patients, unmatched = identify([row.patient for row in rows], hashes)
    dataset = Dataset(
        root=listing.root,
        name=_name(listing),
        paths=np.array([row.path for row in rows]),
        labels=np.array([row.label for row in rows], np.int8),
        patients=patients,
        subtypes=np.array([_subtype(row) for row in rows]),
        origins=np.array([row.split for row in rows]),
        hashes=hashes,
        unmatched=unmatched,
        unreadable=tuple(printable(path) for path, _ in failed),
        not_read=listing.not_read,
        skip_unreadable=skip_unreadable,
    )
    for origin in ("train", "test"):  # a class may have lost its last image to --skip-unreadable
        for label, name in enumerate(CLASSES):
            if not np.any((dataset.origins == origin) & (dataset.labels == label)):
                raise DataError(f"no readable image in {listing.root / origin / name}: both classes are needed")
    return dataset


def _subtype(row: Row) -> str:
    return row.subtype or ("unknown" if row.label else "normal")


def _name(listing: Listing) -> str:
    """The dataset's name, or its folder's; "phantom" is reserved for the marked phantom."""
    if (listing.root / phantom.MARK).exists():
        return "phantom"
    name = printable(listing.name or listing.root.resolve().name)
    return "folder-phantom" if name == "phantom" else name
