"""What a DICOM file's header says of its image, for columns that nothing else fills; nothing else of it is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pneumobench.data import dicom, listing
from pneumobench.data.layout import Row
from pneumobench.utils.threads import Advance, each

# column -> tags, the first that is there
COLUMNS = {
    "view": ("ViewPosition",),
    "age": ("PatientAge",),
    "sex": ("PatientSex",),
    "laterality": ("ImageLaterality", "Laterality"),
}
PATIENT = "PatientID"
AGE = re.compile(r"^0*(\d+)([DWMY]?)$")  # PS3.5, 6.2: three digits and a unit
YEARS = {"": 1.0, "Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}


def filled(root: Path, rows: Sequence[Row], advance: Advance | None = None) -> list[Row]:
    """The rows, with view, age (in years), sex, laterality and patient from the header where the layout has none.

    Files that are no DICOM, or whose header cannot be read, stay as they are. A patient's number that
    is the file's name is none, and so is one that all files share (ANONYMOUS).
    """
    wanted = [i for i, row in enumerate(rows) if _lacks(row) and _is_dicom(root / row.path)]
    if not wanted:
        return list(rows)
    read = each(lambda i: _filled(root, rows[i]), wanted, advance)
    patients = {row.patient for i, row in zip(wanted, read, strict=True) if rows[i].patient is None}
    complete = list(rows)
    for i, row in zip(wanted, read, strict=True):
        complete[i] = row._replace(patient=rows[i].patient) if len(patients) == 1 else row
    return complete


def years(age: str) -> str:
    """An age such as "058Y" or "006M" in years, with two digits where it is below 2; "" where it is none."""
    match = AGE.match(age.strip().upper())
    if not match:
        return ""
    value = int(match[1]) * YEARS[match[2]]
    return f"{value:.0f}" if value >= 2 else f"{value:.2f}".rstrip("0").rstrip(".")


def _lacks(row: Row) -> bool:
    return row.patient is None or any(not row.columns.get(name) for name in COLUMNS)


def _is_dicom(path: Path) -> bool:
    try:
        return path.suffix.lower() not in listing.PICTURES and dicom.is_dicom(path)
    except OSError:  # loading says what is missing
        return False


def _filled(root: Path, row: Row) -> Row:
    try:
        header = dicom.tags(root / row.path, [*(tag for tags in COLUMNS.values() for tag in tags), PATIENT])
        columns = dict(row.columns)
        for name, tags in COLUMNS.items():
            text = next((header[tag] for tag in tags if header[tag]), "")
            if text and not columns.get(name):
                columns[name] = years(text) if name == "age" else text
        patient = header[PATIENT]
    except Exception:  # pydicom raises many kinds; decoding says what is wrong
        return row
    own = row.patient or (patient if patient != Path(row.path).stem else None) or None
    return row._replace(columns=columns, patient=own)
