"""A folder that comes into being whole: filled beside its place, then renamed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pneumobench.errors import DataError, UsageError


@contextmanager
def placing(target: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes `target` at the end, or is removed where anything goes wrong.

    Raises: UsageError where `target` is there already; DataError where it cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already; name another place with --to, or remove it")
    building = target.with_name(f".{target.name}.building")
    try:
        shutil.rmtree(building, ignore_errors=True)  # left by a process that was killed
        building.mkdir(parents=True)
        yield building
        if target.exists():
            target.rmdir()
        building.rename(target)
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
