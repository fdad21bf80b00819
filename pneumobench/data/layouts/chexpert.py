"""CheXpert (Stanford): train.csv, valid.csv and, where it is, test.csv, with paths below CheXpert-v1.0.

Pneumonia 1 is pneumonia, No Finding 1 is normal; Pneumonia -1 is uncertain and left out, and so are all others and
lateral views. Labels of train.csv are mined from reports by a program. valid.csv is the split val, test.csv is test.

    pneumobench run baseline --data CheXpert-v1.0-small
"""

from __future__ import annotations

import re
from pathlib import Path

from pneumobench.data import finder, tables
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut
from pneumobench.errors import DataError

SPLITS = {"train.csv": "train", "valid.csv": "val", "test.csv": "test"}
INSIDE = re.compile(r"(?:^|/)((?:train|valid|test)/.*)$")  # without the release's own folder
PATIENT = re.compile(r"patient\d+")
SEX = {"Female": "F", "Male": "M"}


def read(path: Path, reading: Reading) -> Listing:
    """The frontal images of all tables. Raises: DataError where a column is missing or no image is left."""
    left_out, rows = LeftOut(), []
    for name, split in SPLITS.items():
        if not (path / name).is_file():
            continue
        columns = tables.read(path / name)
        finder.needed(columns, ("Path", "No Finding", "Pneumonia"), path / name)
        folder = {"val": "valid"}.get(split, split)
        images = set(finder.by_path(path, folder))
        for i, given in enumerate(columns["Path"]):
            match = INSIDE.search(given)
            image = match[1] if match else f"{folder}/{given}"
            label = _label(columns["Pneumonia"][i], columns["No Finding"][i])
            if finder.cell(columns, "Frontal/Lateral", i) == "Lateral" or image.endswith("_lateral.jpg"):
                left_out.add("a lateral view", image)
            elif isinstance(label, str):
                left_out.add(label, image)
            elif image not in images:
                left_out.add("no such file", image)
            else:
                own = {
                    "view": finder.cell(columns, "AP/PA", i),
                    "age": finder.cell(columns, "Age", i),
                    "sex": SEX.get(finder.cell(columns, "Sex", i), ""),
                }
                patient = PATIENT.search(image)
                rows.append(Row(image, label, split, patient[0] if patient else None, "", own))
    finder.used(rows, left_out.lines(), path)
    if not any(row.split == "test" for row in rows):  # the release's own test images came later
        rows = [row._replace(split="") for row in rows]
    return Listing(path, sorted(rows, key=lambda row: row.path), left_out.lines())


def is_own(path: Path) -> bool:
    """Whether a folder holds train.csv or valid.csv with CheXpert's header."""
    for table in (path / "train.csv", path / "valid.csv"):
        try:
            if table.is_file() and {"Path", "No Finding", "Pneumonia", "AP/PA"} <= {*tables.header(table)}:
                return True
        except (OSError, DataError):
            continue
    return False


def _label(pneumonia: str, no_finding: str) -> int | str:
    """1 or 0, or why neither; cells are "1.0", "0.0", "-1.0" or empty."""
    values = [float(text) if text else 0.0 for text in (pneumonia, no_finding)]
    if values[0] < 0:
        return "Pneumonia is uncertain"
    if values[0] == 1:
        return 1
    return 0 if values[1] == 1 else "neither Pneumonia nor No Finding"


layout = Layout(
    is_own=is_own,
    read=read,
    citation="Irvin et al., CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert Comparison, "
    "AAAI 2019",
    licence="Stanford University Dataset Research Use Agreement: research alone, no sharing",
    fetch="https://stanfordmlgroup.github.io/competitions/chexpert",
)
