"""A table's columns as text: CSV, TSV and Parquet, as spreadsheets, pandas and Windows write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from pneumobench.errors import DataError

SUFFIXES = (".csv", ".tsv", ".parquet")
ADDRESS = re.compile(r"^(https?|s3|gs|ftp):/", re.IGNORECASE)  # one slash: a path that was an address has lost one
MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


def is_table(path: Path) -> bool:
    """Whether a file is a table by its suffix."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read(path: Path) -> dict[str, list[str]]:
    """The columns by name, each a text for every row, stripped; an empty cell or a missing value is "".

    A CSV file is separated by commas, semicolons or tabs, whichever its header has most of, and may begin with a BOM;
    what is not UTF-8 is read as Windows-1252.
    Raises: DataError where the file cannot be read, has no row, or a row is longer than the header.
    """
    try:
        columns = _parquet(path) if path.suffix.lower() == ".parquet" else _text(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or str(error).splitlines()[0]}") from None
    if not columns or not next(iter(columns.values())):
        raise DataError(f"{path} has no row below its header")
    return columns


def header(path: Path) -> list[str]:
    """The names of the columns. Raises: as `read`."""
    if path.suffix.lower() != ".parquet":
        with path.open("rb") as file:
            start = file.read(1 << 16)
        return next(_rows(_decoded(start, path)), [])
    import pyarrow.parquet as pq

    return list(pq.read_schema(path).names)


def _parquet(path: Path) -> dict[str, list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{path} is not Parquet: {str(error).splitlines()[0]}") from None
    return {
        name: ["" if value is None else str(value).strip() for value in table[name].to_pylist()]
        for name in table.column_names
        if not name.startswith("__index_level_")  # pandas' index
    }


def _text(path: Path) -> dict[str, list[str]]:
    rows = _rows(_decoded(path.read_bytes(), path))
    names = next(rows, [])
    columns: list[list[str]] = [[] for _ in names]
    for number, row in enumerate(rows, 2):
        if not any(row):
            continue
        if len(row) > len(names) and any(row[len(names) :]):
            raise DataError(f"line {number} of {path} has {len(row)} cells, its header {len(names)}: quote the commas")
        for place, column in enumerate(columns):
            column.append(row[place].strip() if place < len(row) else "")
    return {name: column for name, column in zip(names, columns, strict=True) if name}


def _decoded(raw: bytes, path: Path) -> str:
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    if b"\0" in raw[:4096]:
        raise DataError(f"{path} is not a table: CSV, TSV and Parquet are read")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _rows(text: str) -> Iterator[list[str]]:
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",;\t", key=first.count)  # of none at all, the comma
    csv.field_size_limit(1 << 24)  # reports are long
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for names in rows:
        yield [name.strip() for name in names]
        break
    yield from rows
