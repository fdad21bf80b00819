"""VinDr-PCXR (PediCXR): children of Phu Tho, image_labels_train.csv, image_labels_test.csv and DICOM in train and test.

Pneumonia, Brocho-pneumonia and Pleuro-pneumonia are pneumonia, No finding is normal; all other diseases are left out.
Where several readers labelled an image, more than half of them decide. Patients are not told.

    pneumobench run baseline --data vindr-pcxr
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pneumobench.data import finder, tables
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut
from pneumobench.errors import DataError

POSITIVE = ("Pneumonia", "Brocho-pneumonia", "Pleuro-pneumonia")  # as the release spells them
NEGATIVE = "No finding"
FOLDERS = ("", "annotations")


def read(path: Path, reading: Reading) -> Listing:
    """The images of both tables. Raises: DataError where a column is missing or no image is left."""
    left_out, rows = LeftOut(), []
    for split in ("train", "test"):
        table = next(iter(_tables(path, split)), None)
        if table is None:
            continue
        columns = tables.read(table)
        finder.needed(columns, ("image_id", NEGATIVE, POSITIVE[0]), table)
        readers: dict[str, list[int]] = {}
        for i, name in enumerate(columns["image_id"]):
            readers.setdefault(name, []).append(i)
        images = finder.by_stem(path, split)
        for name, own in readers.items():
            label = _label([_said(columns, i) for i in own])
            if label is None:
                why = "readers disagree" if len(own) > 1 else "neither pneumonia nor No finding"
                left_out.add(why, name)
            elif name not in images:
                left_out.add("no such file", name)
            else:
                columns_of = {"readers": str(len(own))}
                rows.append(Row(images[name], label, split, None, "", columns_of))
    finder.used(rows, left_out.lines(), path)
    return Listing(path, sorted(rows, key=lambda row: row.path), left_out.lines())


def _tables(folder: Path, split: str) -> list[Path]:
    return [path for inside in FOLDERS for path in finder.tables(folder / inside, f"image_labels_{split}.csv")]


def is_own(path: Path) -> bool:
    """Whether a folder holds a table of labels with the release's spelling, which VinDr-CXR's has not."""
    try:
        own = _tables(path, "train") + _tables(path, "test")
        return any("Brocho-pneumonia" in tables.header(table) for table in own)
    except (OSError, DataError):
        return False


def _said(columns: dict[str, list[str]], row: int) -> int | None:
    """What one reader said: 1, 0, or None for another disease."""
    if any(finder.cell(columns, name, row) in ("1", "1.0") for name in POSITIVE):
        return 1
    return 0 if columns[NEGATIVE][row] in ("1", "1.0") else None


def _label(said: Sequence[int | None]) -> int | None:
    return next((label for label in (1, 0) if said.count(label) > len(said) / 2), None)


layout = Layout(
    is_own=is_own,
    read=read,
    citation="Pham et al., PediCXR: An open, large-scale chest radiograph dataset for interpretation of common "
    "thoracic diseases in children, Scientific Data 10, 2023; doi:10.13026/k8qc-na36",
    licence="PhysioNet Restricted Health Data License 1.5.0",
    fetch="https://physionet.org/content/vindr-pcxr",
)
