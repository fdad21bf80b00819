"""Any folders named by class, such as 0 and 1, or those that `--positive` and `--negative` name.

The first folder on the way to an image that names a class is its class, one called train, val or test above it its
split. Images in other folders are left out.

    pneumobench run baseline --data XRAYS --positive covid --positive bacterial --negative healthy
"""

from __future__ import annotations

import os
from pathlib import Path

from pneumobench.data import finder
from pneumobench.data.class_names import ClassNames
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.layouts.manifest import SPLITS
from pneumobench.data.left_out import LeftOut
from pneumobench.errors import DataError

OF_SPLIT = {name: split for name, split in SPLITS.items() if name}


def read(path: Path, reading: Reading) -> Listing:
    """The images in folders that name a class. Raises: DataError where a class has none."""
    classes = ClassNames.of(reading)
    left_out, rows = LeftOut(), []
    for image in finder.by_path(path):
        *folders, _ = image.lower().split("/")
        label = next((label for name in folders if (label := classes.label(name)) is not None), None)
        if label is None:
            left_out.add(f"in {os.path.dirname(image) or 'no folder'}, which names no class", image)
            continue
        rows.append(Row(image, label, next((OF_SPLIT[name] for name in folders if name in OF_SPLIT), "")))
    for label, names in enumerate((classes.negative, classes.positive)):
        if not any(row.label == label for row in rows):
            option = ("--negative", "--positive")[label]
            raise DataError(
                f"{path} has no image in a folder called {' or '.join(sorted(names))}; name one with {option}. "
                f"Found: {', '.join(finder.folders(path)) or 'no folder'}"
            )
    return Listing(path, rows, left_out.lines())


def is_own(path: Path) -> bool:
    """Whether a folder, or a split's folder in it, holds a folder of everyday name for either class."""
    classes = ClassNames.of(Reading())
    inside = [path, *(path / name for name in finder.folders(path) if name.lower() in OF_SPLIT)]
    return any({classes.label(name) for name in finder.folders(folder)} >= {0, 1} for folder in inside)


layout = Layout(
    is_own=is_own,
    read=read,
    citation="that of the images",
    licence="that of the images",
    takes=("positive", "negative"),
    priority=-1,
)
