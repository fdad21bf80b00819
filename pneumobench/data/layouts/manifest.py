"""A table with a row an image: CSV, TSV or Parquet, with the columns path and label at least.

Further columns are patient, split (train, val, test), subtype, view, age, sex, site, and any other. Their order and
case do not matter; `--columns` names them where they are called otherwise. Without a split, folders called train, val
and test on the way to every image say it. Labels are NORMAL and PNEUMONIA, 0 and 1, true and false, or what
`--negative` and `--positive` say. Paths are relative to the table's folder or to `--root`. A folder that holds
metadata.csv, labels.csv or manifest.csv with both columns is read by it.

    pneumobench data manifest XRAYS -o labels.csv
    pneumobench run baseline --data labels.csv --columns path="Image Index",label="Finding Labels"
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from pneumobench.data import tables
from pneumobench.data.class_names import ClassNames
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut
from pneumobench.errors import DataError, UsageError

FIELDS = ("path", "label", "patient", "split", "subtype")
COLUMNS = ("view", "age", "sex", "site")  # the known ones among those that stay with an image
STEMS = ("metadata", "labels", "manifest")
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
    "": "",
}
SUBTYPES = {"bacteria": "bacterial", "virus": "viral"}
_Labels = dict[str, tuple[int, int]]
EMPTY = frozenset(("", "nan", "none", "null", "na", "n/a"))


def is_own(path: Path) -> bool:
    """Whether a file is a table, or a folder holds one under a usual name with the columns path and label."""
    try:
        return tables.is_table(path) or (path.is_dir() and _inside(path) is not None)
    except (OSError, DataError):
        return False


def read(path: Path, reading: Reading) -> Listing:
    """The rows of a manifest; whose file is missing, or that name an image twice, are left out.

    Raises: DataError where a column is missing, images are named by address, a split has an unknown name, or no row
    is left.
    """
    table = path if path.is_file() else _inside(path)
    if table is None:
        names = ", ".join(f"{stem}.csv" for stem in STEMS)
        raise DataError(f"no manifest {path}" if not path.exists() else f"{path} holds none of {names}")
    columns = _named(tables.read(table), reading, table)
    root = (reading.root or table.parent).expanduser()
    if not root.is_dir():
        raise DataError(f"--root {root} is not a folder")
    rows, lines = _rows(columns, ClassNames.of(reading), root, table)
    name = table.parent.resolve().name if table.stem.lower() in STEMS else table.stem
    return Listing(root, sorted(rows, key=lambda row: row.path), lines, name)


def _inside(folder: Path) -> Path | None:
    """The manifest of a folder, if it holds one."""
    for stem in STEMS:
        for suffix in tables.SUFFIXES:
            path = folder / f"{stem}{suffix}"
            if path.is_file() and {"path", "label"} <= {name.lower() for name in tables.header(path)}:
                return path
    return None


def _named(columns: dict[str, list[str]], reading: Reading, table: Path) -> dict[str, list[str]]:
    """The columns by field. Raises: DataError for a missing column, UsageError for a wrong name."""
    by_lower = {name.lower(): name for name in columns}
    named: dict[str, list[str]] = {}
    used = set()
    for field, name in reading.columns.items():
        if name.lower() not in by_lower:
            raise UsageError(f"--columns {field}={name}: {table} has no such column; it has {', '.join(columns)}")
        used.add(by_lower[name.lower()])
        named[field] = columns[by_lower[name.lower()]]
    for field in (*FIELDS, *COLUMNS):
        if field not in named and field in by_lower:
            used.add(by_lower[field])
            named[field] = columns[by_lower[field]]
    for field in ("path", "label"):
        if field not in named:
            raise DataError(
                f"{table} has no column {field}; say which it is with --columns {field}=NAME. It has: "
                f"{', '.join(columns)}"
            )
    return named | {name: values for name, values in columns.items() if name not in used | named.keys()}


def _rows(
    columns: dict[str, list[str]], classes: ClassNames, root: Path, table: Path
) -> tuple[list[Row], tuple[str, ...]]:
    left_out = LeftOut("row")
    paths = [posixpath.normpath(path.replace("\\", "/")) if path else "" for path in columns["path"]]
    if addresses := [path for path in columns["path"] if tables.ADDRESS.match(path)]:
        raise DataError(
            f"{table} names {len(addresses):,} images by address, such as {addresses[0]}; download them: files are read"
        )
    labels = _labels(paths, columns["label"], classes, left_out)
    there = _Files(root)
    extras = {name: values for name, values in columns.items() if name not in FIELDS}
    splits, subtypes = columns.get("split") or _from_folders(paths), columns.get("subtype")
    patients = columns.get("patient")
    rows = []
    for path, (i, label) in labels.items():
        if not there.holds(path):
            left_out.add("no such file", path)
            continue
        split = SPLITS.get(splits[i].lower()) if splits else ""
        if split is None:
            raise DataError(f"{table} has the split '{splits[i]}' ({path}); train, val and test are known")  # type: ignore[index]
        subtype = subtypes[i].lower() if subtypes else ""
        patient = patients[i] if patients and patients[i].lower() not in EMPTY else None
        own = {name: values[i] for name, values in extras.items()}
        rows.append(Row(there.inside(path), label, split, patient, SUBTYPES.get(subtype, subtype), own))
    if not rows:
        why = left_out.lines()
        hint = "; --root names the folder of the images" if "no such file" in why[0] else ""
        raise DataError(f"no row of {table} can be used: {why[0]}{hint}; labels are {classes}")
    return rows, left_out.lines()


def _labels(paths: list[str], texts: list[str], classes: ClassNames, left_out: LeftOut) -> _Labels:
    """The row and the label of each path; what has none, an unknown one or two different ones is left out."""
    labels: _Labels = {}
    twice: set[str] = set()
    known = {text: classes.label(text) for text in set(texts)}
    for i, (path, text) in enumerate(zip(paths, texts, strict=True)):
        label = known[text]
        if not path:
            left_out.add("no path", f"the one with label '{text}'")
        elif text.lower() in EMPTY:
            left_out.add("no label", path)
        elif label is None:
            left_out.add("neither positive nor negative", f"'{text}' ({path})")
        elif path not in labels:
            labels[path] = (i, label)
        elif labels[path][1] == label:
            left_out.add("listed before", path)
        else:
            twice.add(path)
    for path in sorted(twice):
        del labels[path]
        left_out.add("labelled both ways", path)
    return labels


def _from_folders(paths: list[str]) -> list[str] | None:
    """The folder of each path that is called train, val or test; None unless every path has one."""
    splits = [next((part for part in path.lower().split("/")[:-1] if part in SPLITS), "") for path in paths]
    return splits if all(splits) else None


class _Files:
    """Which files are in a folder: each of its folders is listed once, as a call a file is slow over a network."""

    def __init__(self, root: Path):
        self._root, self._names = root, dict[str, frozenset[str]]()
        self._absolute = root.resolve().as_posix() + "/"

    def inside(self, path: str) -> str:
        """The path in the folder, of one that may be absolute."""
        return path.removeprefix(self._absolute)

    def holds(self, path: str) -> bool:
        """Whether there is a file (or a folder) of this path."""
        parent, _, name = path.rpartition("/")
        if parent not in self._names:
            try:
                self._names[parent] = frozenset(os.listdir(self._root / (parent or ("/" if path[:1] == "/" else "."))))
            except OSError:
                self._names[parent] = frozenset()
        return name in self._names[parent]


layout = Layout(
    is_own=is_own,
    read=read,
    citation="that of the images it lists",
    licence="that of the images it lists",
    takes=("columns", "root", "positive", "negative"),
)
