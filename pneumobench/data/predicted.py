"""A table of predictions that any framework wrote, matched to the images that it speaks of by path, name or hash."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pneumobench.data import tables
from pneumobench.data.class_names import NEGATIVE, POSITIVE
from pneumobench.data.dataset import Dataset
from pneumobench.errors import DataError, UsageError

# the columns' names in lower case, the first one that a table has is read
HASHES = ("hash", "content_hash")
PATHS = ("path", "image", "image_path", "file", "filename", "file_name", "image_name", "name", "image_id", "id")
PROBABILITIES = ("probability", "prob", "p", "score", "y_prob", "y_score", "pneumonia", "p_pneumonia", "prediction")
LABELS = ("label", "y_true", "truth", "target", "class", "y")
SEEDS = ("seed", "run")
Faults = list[str]
Read = dict[int, np.ndarray]


def read(path: Path, images: Dataset, part: np.ndarray, *, seed: int | None = None, whole: bool) -> Read:
    """The probabilities of pneumonia by training seed, (m,) float64 each, for the images of `part`, a mask (n,).

    CSV, TSV or Parquet with a row for each image and seed. `seed` is that of a table without a column for it (0).
    With `whole` every image of the part must be there; else nan stands for those that are not.
    Raises: DataError that counts all faults in one line: images that are missing, doubled or unknown, probabilities
    outside [0, 1], labels in place of probabilities; UsageError where the seed is given twice.
    """
    path = path.expanduser()
    table = {name.lower(): values for name, values in _table(path).items()}
    rows = _rows(table, path, seed)
    places, faults = _Places(images, part).of(rows.hashes, rows.paths)
    faults += _outside(rows) + _mislabelled(_column(table, LABELS), places, images)
    probabilities: dict[int, np.ndarray] = {}
    for number in dict.fromkeys(rows.seeds):
        values = np.full(len(images), np.nan)
        counted = np.zeros(len(images), int)
        for place, value, other in zip(places, rows.values, rows.seeds, strict=True):
            if other == number:
                values[place] = value
                counted[place] += 1
        of = f" of seed {number}" if len(set(rows.seeds)) > 1 else ""
        faults += _miscounted(counted, part, images, of, whole)
        probabilities[number] = values[part]
    if faults:
        raise DataError(f"{path}: {'; '.join(faults)}")
    return probabilities


@dataclass(frozen=True)
class _Rows:
    hashes: Sequence[str]
    paths: Sequence[str]
    values: np.ndarray
    seeds: Sequence[int]

    def name(self, i: int) -> str:
        """What the row calls its image."""
        return (self.paths[i] if self.paths else "") or self.hashes[i]


def _table(path: Path) -> dict[str, list[str]]:
    if not tables.is_table(path):
        raise DataError(f"predictions are a table ({', '.join(tables.SUFFIXES)}); {path} is no such file")
    return tables.read(path)


def _rows(table: Mapping[str, list[str]], path: Path, seed: int | None) -> _Rows:
    names = ", ".join(table)
    hashes, paths = _column(table, HASHES), _column(table, PATHS)
    if not hashes and not paths:
        raise DataError(f"{path} has no column that names images ({', '.join((*HASHES, *PATHS))}); it has {names}")
    texts = _column(table, PROBABILITIES)
    labels = texts or _column(table, LABELS)
    values = [_number(text) for text in labels]
    if labels and (not texts or _are_labels(labels)):
        raise DataError(f"{path} holds labels, not probabilities: a comparison takes each image's probability")
    if not texts:
        raise DataError(f"{path} has no column of probabilities ({', '.join(PROBABILITIES)}); it has {names}")
    return _Rows(hashes, paths, np.array(values), _seeds(_column(table, SEEDS), len(texts), path, seed))


def _seeds(column: Sequence[str], count: int, path: Path, seed: int | None) -> list[int]:
    if not column:
        return [seed or 0] * count
    if seed is not None:
        raise UsageError(f"{path} has a column of seeds; --seed is for a file without one")
    wrong = [text for text in column if not text.removesuffix(".0").isdigit()]
    if wrong:
        raise DataError(f"{path}: a training seed is a whole number of at least 0, not '{wrong[0]}'")
    return [int(text.removesuffix(".0")) for text in column]


def _column(table: Mapping[str, list[str]], names: Sequence[str]) -> list[str]:
    return next((table[name] for name in names if name in table), [])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _are_labels(texts: Sequence[str]) -> bool:
    """Whether every value is a class: 0 or 1, or its name."""
    return all(_label(text) is not None for text in texts)


def _label(text: str) -> int | None:
    word = text.lower()
    if _number(text) in (0.0, 1.0):
        return int(_number(text))
    return 1 if word in POSITIVE else 0 if word in NEGATIVE else None


def _outside(rows: _Rows) -> Faults:
    bad = np.flatnonzero(~((rows.values >= 0) & (rows.values <= 1)))
    if not len(bad):
        return []
    value = rows.values[bad[0]]
    shown = "none" if np.isnan(value) else f"{value:g}"
    return [f"{len(bad):,} probabilities are not in [0, 1], such as {shown} for {rows.name(int(bad[0]))}"]


def _mislabelled(truth: Sequence[str], places: Sequence[list[int]], images: Dataset) -> Faults:
    """Where the table says other labels than the images have, it is about other images, or counts classes otherwise."""
    if not truth:
        return []
    said = [(place[0], _label(text)) for text, place in zip(truth, places, strict=True) if place]
    wrong = [place for place, label in said if label is not None and label != images.labels[place]]
    return [f"{len(wrong):,} labels are not those of the images, such as {images.paths[wrong[0]]}"] if wrong else []


def _miscounted(counted: np.ndarray, part: np.ndarray, images: Dataset, of: str, whole: bool) -> Faults:
    faults = []
    doubled, missing = np.flatnonzero(counted > 1), np.flatnonzero(part & (counted == 0))
    if len(doubled):
        faults.append(f"{len(doubled):,} images are named more than once{of}, such as {images.paths[doubled[0]]}")
    if len(missing) and whole:
        count = int(part.sum())
        faults.append(f"{len(missing):,} of {count:,} images are missing{of}, such as {images.paths[missing[0]]}")
    return faults


class _Places:
    """Where an image stands among all images: found by its content hash, its path, or the end of that if unique."""

    def __init__(self, images: Dataset, part: np.ndarray):
        self._part = part
        self._part_is_test = bool(np.all(images.origins[part] == "test"))
        self._by_hash: dict[str, list[int]] = defaultdict(list)
        self._whole: dict[str, list[int]] = defaultdict(list)
        self._ends: dict[str, list[int]] = defaultdict(list)
        for place, (digest, path) in enumerate(zip(images.hashes.tolist(), images.paths.tolist(), strict=True)):
            self._by_hash[digest].append(place)
            for name in {path, path.rpartition(".")[0] or path}:  # tables often leave the suffix out
                self._whole[name].append(place)
                for end in _ends(name):
                    self._ends[end].append(place)

    def of(self, hashes: Sequence[str], paths: Sequence[str]) -> tuple[list[list[int]], Faults]:
        """The places of each row: several where images are identical, none and a fault where it names no image."""
        unknown, ambiguous, elsewhere = [], [], []
        places: list[list[int]] = []
        for i in range(len(hashes or paths)):
            digest, path = (column[i] if column else "" for column in (hashes, paths))
            same = self._of_hash(digest, path) if digest else self._of_path(path)
            own = [place for place in same if self._part[place]]
            name = path or digest or "an empty name"
            if not same:
                unknown.append(name)
            elif not own:
                elsewhere.append(name)
            elif not digest and len(same) > 1:
                ambiguous.append(name)
                own = []
            places.append(own)
        wanted, other = ("test", "development") if self._part_is_test else ("development", "test")
        reasons = (
            (unknown, "name no image of the data"),
            (elsewhere, f"name {other} images where {wanted} images are asked for"),
            (ambiguous, "fit several images (give their paths)"),
        )
        return places, [f"{len(names):,} rows {what}, such as {names[0]}" for names, what in reasons if names]

    def _of_hash(self, digest: str, path: str) -> list[int]:
        """All images of these contents, or the one among them that the row's path names too."""
        same = self._by_hash.get(digest.lower(), [])
        named = [place for place in same if place in self._of_path(path)]
        return named if len(named) == 1 else same

    def _of_path(self, path: str) -> list[int]:
        """The images whose path ends with this one, or is the end of it."""
        cleaned = posixpath.normpath(path.replace("\\", "/")).lstrip("/") if path else ""
        if cleaned in self._whole:
            return self._whole[cleaned]
        return self._ends.get(cleaned) or next((self._whole[end] for end in _ends(cleaned) if end in self._whole), [])


def _ends(path: str) -> Iterator[str]:
    """A path without its first folders, the longest first."""
    parts = path.split("/")
    return ("/".join(parts[start:]) for start in range(1, len(parts)))
