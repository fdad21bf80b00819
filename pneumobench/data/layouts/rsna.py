"""RSNA Pneumonia Detection Challenge 2018: stage_2 tables and DICOM files in stage_2_train_images.

Lung Opacity is pneumonia, Normal is normal; "No Lung Opacity / Not Normal" is left out, which is why the table of
classes is needed: Target 0 holds both. A row is a box, so that an image may have several. The challenge's patientId
names an image; its images come from NIH ChestX-ray14, so that one is no other hospital for the other.

    pneumobench run baseline --data rsna-pneumonia-detection-challenge
"""

from __future__ import annotations

from pathlib import Path

from pneumobench.data import finder, tables
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut

LABELS, CLASSES = "stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"
FOLDER = "stage_2_train_images"
MEANING = {"Lung Opacity": 1, "Normal": 0}


def read(path: Path, reading: Reading) -> Listing:
    """The images of the table of classes. Raises: DataError where a table or a column is missing."""
    columns = tables.read(path / CLASSES)
    finder.needed(columns, ("patientId", "class"), path / CLASSES)
    targets = tables.read(path / LABELS)
    finder.needed(targets, ("patientId", "Target"), path / LABELS)
    positive = {name for name, target in zip(targets["patientId"], targets["Target"], strict=True) if target == "1"}
    images, left_out, rows = finder.by_stem(path, FOLDER), LeftOut(), []
    for name, meaning in dict(zip(columns["patientId"], columns["class"], strict=True)).items():
        if meaning not in MEANING:
            left_out.add(f"'{meaning}'", name)
        elif MEANING[meaning] != (name in positive):
            left_out.add("its class and its target differ", name)
        elif name not in images:
            left_out.add("no such file", name)
        else:
            rows.append(Row(images[name], MEANING[meaning]))
    finder.used(rows, left_out.lines(), path)
    return Listing(path, sorted(rows, key=lambda row: row.path), left_out.lines())


layout = Layout(
    is_own=lambda path: (path / LABELS).is_file() and (path / CLASSES).is_file(),
    read=read,
    citation="Shih et al., Augmenting the National Institutes of Health Chest Radiograph Dataset with Expert "
    "Annotations of Possible Pneumonia, Radiology: Artificial Intelligence 1(1), 2019",
    licence="academic research, education and other purposes, with attribution (RSNA's terms)",
    fetch="https://www.kaggle.com/c/rsna-pneumonia-detection-challenge",
)
