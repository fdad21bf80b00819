"""What is kept on disk between runs: made once under a lock, and evicted, the least recently used first.

joblib.Memory does not fit: it takes no lock, so that ten processes would decode ten times; it may evict what a process
still reads from; and it unpickles what it finds.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from pneumobench.errors import DataError, UsageError
from pneumobench.utils.files import BUILDING, destination, whole_folder
from pneumobench.utils.space import is_full, no_space

FOLDER_VARIABLE = "PNEUMOBENCH_CACHE"
LIMIT_VARIABLE = "PNEUMOBENCH_CACHE_LIMIT"
LIMIT = 20.0  # GB
LOCK = ".lock"

T = TypeVar("T")
_held: set[Path] = set()


def folder() -> Path:
    """Where caches live: `PNEUMOBENCH_CACHE`, else the user's cache directory."""
    import platformdirs

    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("pneumobench"))


def limit() -> int:
    """Bytes that may be kept: `PNEUMOBENCH_CACHE_LIMIT` in GB, else 20. Raises: UsageError for no such number."""
    chosen = os.environ.get(LIMIT_VARIABLE, "")
    try:
        if (wanted := float(chosen or LIMIT)) > 0:
            return int(wanted * 1e9)
    except ValueError:
        pass
    raise UsageError(f"{LIMIT_VARIABLE} is a size in GB above 0, not '{chosen}'")


def stored(kind: str, name: str, build: Callable[[Path], None], load: Callable[[Path], T], needed: int = 0) -> T:
    """What `load` reads from the folder `kind`/`name` of the cache; `build` fills it where it is missing or damaged.

    `needed` bytes are named where they do not fit on the disk.

    Safe with several processes at once: one builds under a lock, in a folder that is renamed when it is
    whole; the others wait. Then the least recently used entries are evicted until the rest is within the limit.
    Raises: DataError where the folder cannot be written, or the disk is full.
    """
    parent = folder() / kind
    path = parent / name
    with writing(parent, needed):
        parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}{LOCK}"):
            with suppress(OSError):
                os.utime(f"{path}{LOCK}")  # when it was last used
            try:
                return load(path)
            except FileNotFoundError:
                pass
            except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
                shutil.rmtree(path)
            with whole_folder(path) as building:  # what it replaces is a folder that lacks a file
                build(building)
            value = load(path)
    evict(path)
    return value


@contextmanager
def writing(parent: Path, needed: int = 0) -> Iterator[None]:
    """A block that writes into the cache: what the system refuses becomes a DataError that says what to do.

    `needed` bytes, if that is known, are named where the disk is full.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            advice = f"{FOLDER_VARIABLE} names another folder, `pneumobench data clear-cache` empties this one"
            raise DataError(f"{no_space(parent, needed)}; {advice}") from error
        raise DataError(
            f"cannot write the cache in {parent}: {error.strerror or error}; {FOLDER_VARIABLE} names another folder"
        ) from error


def hold(path: Path) -> Path:
    """Keep the entry that is at `path`, or holds it, from being evicted by this process, which still reads from it."""
    _held.add(path)
    return path


@dataclass(frozen=True)
class Entry:
    """One thing that is kept: its kind, its folder or file, its bytes, and when it was last used (a time stamp)."""

    kind: str
    path: Path
    size: int
    used: float


def entries() -> list[Entry]:
    """All that is kept, the least recently used first."""
    every = []
    for kind in _inside(folder()):
        for path in _inside(kind) if kind.is_dir() else ():
            if path.suffix not in (LOCK, BUILDING):
                with suppress(OSError):  # gone meanwhile
                    every.append(Entry(kind.name, path, _size(path), _used(path)))
    return sorted(every, key=lambda entry: entry.used)


def evict(keep: Path) -> None:
    """Remove the least recently used entries until the rest is within the limit; not `keep`, nor what is in use."""
    every = entries()
    excess = sum(entry.size for entry in every) - limit()
    for entry in every:
        if excess <= 0:
            return
        is_held = any(path.is_relative_to(entry.path) for path in _held)
        if entry.path != keep and not is_held and _remove(entry.path):
            excess -= entry.size


def clear() -> int:
    """Remove all that is kept and not in use now; the bytes that this freed."""
    freed = sum(entry.size for entry in entries() if _remove(entry.path))
    for kind in _inside(folder()):
        for path in _inside(kind) if kind.is_dir() else ():
            if path.suffix == BUILDING and not _is_locked(destination(path)):
                shutil.rmtree(path, ignore_errors=True)
    return freed


def _inside(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else []


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _used(path: Path) -> float:
    lock = Path(f"{path}{LOCK}")
    return (lock if lock.exists() else path).stat().st_mtime


def _remove(path: Path) -> bool:
    """Whether it could be removed: what another process locks, or has open on Windows, is kept."""
    try:
        with FileLock(f"{path}{LOCK}", timeout=0):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            return True
    except (OSError, Timeout):
        return False


def _is_locked(path: Path) -> bool:
    try:
        with FileLock(f"{path}{LOCK}", timeout=0):
            return False
    except (OSError, Timeout):
        return True
