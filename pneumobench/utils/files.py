"""A text file that is written whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pneumobench.errors import UsageError


def write(path: Path, text: str) -> Path:
    """Write a file, its folder too where it is missing; its path. Raises: UsageError where that cannot be done."""
    building = path.with_name(f".{path.name}.building")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building.write_text(text, encoding="utf-8")
        building.replace(path)
    except OSError as error:
        with suppress(OSError):
            building.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    return path
