"""Where the images are that a release's tables name: by file name, or by name without its suffix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pneumobench.data import listing
from pneumobench.data.layout import Row
from pneumobench.errors import DataError


def by_path(root: Path, folder: str = "") -> list[str]:
    """The paths in `root` of the images in one of its folders and below it, sorted.

    Raises: DataError where a folder may not be read, or is none.
    """
    if not root.is_dir():
        raise DataError(f"no folder {root}")
    return _images(root, folder)


def folders(path: Path) -> list[str]:
    """The names of the folders in a folder, sorted; none where it may not be read."""
    try:
        return sorted(p.name for p in path.iterdir() if p.is_dir() and not listing.is_leftover(p.name))
    except OSError:
        return []


def by_name(root: Path, folder: str = "") -> dict[str, str]:
    """The path in `root` of each image in one of its folders and below it, by its file's name.

    Raises: DataError where a folder may not be read.
    """
    return {path.rpartition("/")[2]: path for path in _images(root, folder)}


def by_stem(root: Path, folder: str = "") -> dict[str, str]:
    """The same by the file's name without its suffix. Raises: as `by_name`."""
    return {path.rpartition("/")[2].rpartition(".")[0]: path for path in _images(root, folder)}


def tables(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder that match a pattern, sorted; none where it is no folder, or may not be read."""
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    except OSError:
        return []


def cell(columns: Mapping[str, list[str]], name: str, row: int) -> str:
    """A cell of a table, "" where the table has no such column."""
    values = columns.get(name)
    return values[row] if values else ""


def needed(columns: Mapping[str, list[str]], names: tuple[str, ...], table: Path) -> None:
    """Raises: DataError unless a table has these columns."""
    if missing := [name for name in names if name not in columns]:
        raise DataError(f"{table} has no column {' and '.join(missing)}; it has {', '.join(columns)}")


def used(rows: Sequence[Row], lines: tuple[str, ...], folder: Path) -> None:
    """Raises: DataError where a release has no row that can be used."""
    if not rows:
        raise DataError(f"no image of {folder} can be used: {'; '.join(lines) or 'its tables name none'}")


def _images(root: Path, folder: str) -> list[str]:
    try:
        inside = f"{folder}/" if folder else ""
        names = listing.files(root / folder) if (root / folder).is_dir() else iter(())
        return [inside + name for name in names if Path(name).suffix.lower() in listing.SUFFIXES]
    except PermissionError as error:
        raise DataError(f"no permission to read {error.filename}") from None
