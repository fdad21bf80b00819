"""PadChest (Hospital San Juan, Alicante): PADCHEST_chest_x_ray_images_labels_160K….csv and folders of PNG images.

Labels are a list such as ['pneumonia', 'infiltrates']. One that names a pneumonia is pneumonia, ['normal'] alone is
normal; all others are left out, and so are lateral and other projections. MethodLabel says whether a physician or a
network labelled the report.

    pneumobench run baseline --data PadChest
"""

from __future__ import annotations

import re
from pathlib import Path

from pneumobench.data import finder, tables
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut

TABLES = "PADCHEST_chest_x_ray_images_labels_160K*.csv"
POSITIVE = frozenset(("pneumonia", "atypical pneumonia"))
VIEWS = {"PA": "PA", "AP": "AP", "AP_horizontal": "AP"}  # lying on the back


def read(path: Path, reading: Reading) -> Listing:
    """The frontal images of the table. Raises: DataError where a column is missing or no image is left."""
    table = next(iter(finder.tables(path, TABLES)), path / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv")
    columns = tables.read(table)
    finder.needed(columns, ("ImageID", "PatientID", "Projection", "Labels"), table)
    images, left_out, rows = finder.by_name(path), LeftOut(), []
    for i, name in enumerate(columns["ImageID"]):
        labels = {label.strip() for label in re.findall(r"'([^']*)'", columns["Labels"][i])}
        projection = columns["Projection"][i]
        if not labels:
            left_out.add("no label", name)
        elif not labels & POSITIVE and labels != {"normal"}:
            left_out.add("neither pneumonia nor normal", f"{name} ({', '.join(sorted(labels))})")
        elif projection not in VIEWS:
            left_out.add("not a frontal view", f"{name} ({projection})")
        elif name not in images:
            left_out.add("no such file", name)
        else:
            own = {
                "view": VIEWS[projection],
                "age": _age(finder.cell(columns, "StudyDate_DICOM", i), finder.cell(columns, "PatientBirth", i)),
                "sex": finder.cell(columns, "PatientSex_DICOM", i),
                "method": finder.cell(columns, "MethodLabel", i),
                "findings": "|".join(sorted(labels)),
            }
            patient = columns["PatientID"][i] or None
            rows.append(Row(images[name], int(bool(labels & POSITIVE)), "", patient, "", own))
    finder.used(rows, left_out.lines(), path)
    return Listing(path, sorted(rows, key=lambda row: row.path), left_out.lines())


def _age(date: str, birth: str) -> str:
    """Years between a date, 20140915, and the year of birth, which pandas wrote as 1938.0."""
    year, born = date[:4], birth.partition(".")[0]
    return str(int(year) - int(born)) if year.isdigit() and born.isdigit() else ""


layout = Layout(
    is_own=lambda path: bool(finder.tables(path, TABLES)),
    read=read,
    citation="Bustos et al., PadChest: A large chest x-ray image dataset with multi-label annotated reports, Medical "
    "Image Analysis 66, 2020",
    licence="CC BY-SA 4.0, with BIMCV's terms of use",
    fetch="https://bimcv.cipf.es/bimcv-projects/padchest",
)
