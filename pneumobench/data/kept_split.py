"""A division into development and test images that is drawn once, and kept in a table so that it stays."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pneumobench.data import tables
from pneumobench.data.dataset import CLASSES, Dataset
from pneumobench.data.split import whole_patients
from pneumobench.errors import DataError, UsageError
from pneumobench.utils import files
from pneumobench.utils.hashing import text_hash

FRACTION = 0.2
ELSEWHERE = Path("runs/splits")  # where the images' folder cannot be written, as Kaggle's input cannot
COLUMNS = ("path", "label", "patient", "split", "hash")
SUFFIX = ".split.csv"


@dataclass(frozen=True)
class Divided:
    """The side of each image, (n,) "train", "val" or "test", and a line that says where it comes from."""

    origins: np.ndarray
    note: str


def divide(dataset: Dataset, source: Path, fraction: float | None) -> Divided:
    """The division kept for the images of `source` (a folder or a manifest), drawn and written if there is none.

    Whole patients, stratified by class and subtype. New images of a known patient go to that patient's side, those of
    new patients to the development side.
    Raises: DataError where a class has too few patients to divide, UsageError where the division cannot be written.
    """
    for path in _places(source):
        if path.exists():
            return _kept(dataset, path, fraction)
    share = FRACTION if fraction is None else fraction
    is_test = whole_patients(dataset, share, np.random.default_rng(0))
    for label, name in enumerate(CLASSES):
        own = dataset.labels == label
        if not (is_test & own).any() or not (~is_test & own).any():
            patients = len(np.unique(dataset.patients[own]))
            raise DataError(f"class {name} has {patients} patients, and dividing them for training and test takes 2")
    origins = _origins(dataset, is_test)
    path = _write(dataset, origins, source)
    return Divided(origins, f"{_share(origins)} drawn as test images, by patients; the division is kept in {path}")


def _places(source: Path) -> tuple[Path, Path]:
    """Where a division may be kept: beside the images or their manifest, else in `runs`."""
    source = source.expanduser()
    beside = source.with_name(source.stem + SUFFIX) if source.is_file() else source / f"pneumobench{SUFFIX}"
    digest = text_hash(os.fsencode(source.resolve()), 4)
    return beside, ELSEWHERE / f"{source.resolve().stem}-{digest}{SUFFIX}"


def _kept(dataset: Dataset, path: Path, fraction: float | None) -> Divided:
    table = tables.read(path)
    if not {"split", "hash", "patient"} <= table.keys():
        raise DataError(f"{path} is not a division that pneumobench kept; remove it to draw a new one")
    sides = dict(zip(table["hash"], table["split"], strict=True))
    of_patient = dict(zip(table["patient"], table["split"], strict=True))
    found = [
        sides.get(digest) or of_patient.get(patient, "")
        for digest, patient in zip(dataset.hashes.tolist(), dataset.patients.tolist(), strict=True)
    ]
    origins = _origins(dataset, np.array([side == "test" for side in found], bool))
    new = sum(not side for side in found)
    note = f"{_share(origins)} test images by the division kept in {path}"
    if new:
        note += f"; {new:,} images of new patients are for training"
    if fraction is not None and abs(np.mean(origins == "test") - fraction) > 0.05:
        note += f"; remove it to draw one by --test-fraction {fraction:g}"
    return Divided(origins, note)


def _origins(dataset: Dataset, is_test: np.ndarray) -> np.ndarray:
    return np.where(is_test, "test", np.where(dataset.origins == "val", "val", "train"))


def _share(origins: np.ndarray) -> str:
    return f"{np.sum(origins == 'test'):,} of {len(origins):,} images are"


def _write(dataset: Dataset, origins: np.ndarray, source: Path) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    values = (dataset.paths, dataset.labels, dataset.patients, origins, dataset.hashes)
    writer.writerows(
        (path, CLASSES[label], *rest) for path, label, *rest in zip(*(v.tolist() for v in values), strict=True)
    )
    beside, elsewhere = _places(source)
    try:
        return files.write_text(beside, text.getvalue())
    except UsageError:
        return files.write_text(elsewhere, text.getvalue())
