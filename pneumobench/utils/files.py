"""Files and folders that are written whole or not at all: built beside their place, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pneumobench.errors import UsageError
from pneumobench.utils.hashing import text_hash

BUILDING = ".building"  # the suffix of what is not whole yet


def write_text(path: Path, text: str) -> Path:
    """Write a text file in UTF-8, its folder too where it is missing; its path.

    Raises: UsageError where that cannot be done.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as building:
            building.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    return path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A new file to write, which replaces `path` at the end of the block, or is removed where anything goes wrong.

    Several processes may write the same path at once; the last one wins.
    Raises: OSError where the folder is missing or cannot be written.
    """
    # a hash, as a name that is as long as may be bears no addition
    building = path.with_name(f".{text_hash(path.name, 8)}.{os.getpid()}{BUILDING}")
    try:
        yield building
        building.replace(path)
    finally:
        with suppress(OSError):
            building.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """A new folder to fill, which becomes `path` at the end of the block, or is removed where anything goes wrong.

    With `replace`, what is at `path` is removed then; without, only an empty folder is. One process at a time: hold
    a lock where several may come.
    Raises: OSError where the folder cannot be written.
    """
    building = path.with_name(f".{path.name}{BUILDING}")
    shutil.rmtree(building, ignore_errors=True)  # left by a process that was killed
    try:
        building.mkdir(parents=True)
        yield building
        if replace:
            shutil.rmtree(path, ignore_errors=True)
        elif path.exists():
            path.rmdir()
        building.rename(path)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def destination(building: Path) -> Path:
    """What a folder with the suffix BUILDING is to become."""
    return building.with_name(building.name.removeprefix(".").removesuffix(BUILDING))


@contextmanager
def unstored(content: bytes) -> Iterator[Path]:
    """A path that reads as these bytes inside the block, and is nowhere afterwards.

    They stay in memory where the system can open memory by a path (Linux); elsewhere they are a temporary file that
    this user alone may read.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("unstored")
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "unstored"
            path.write_bytes(content)
            yield path
