"""Content hashes of files, each computed once for as long as the file's size and time stay as they are."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pneumobench.data import disk_cache
from pneumobench.utils.files import whole_file
from pneumobench.utils.hashing import content_hash, text_hash
from pneumobench.utils.threads import Advance, each

KIND = "hashes"
SETTLED = 2e9  # nanoseconds: a file that was written this lately may change again within its clock's tick


def content_hashes(root: Path, names: Sequence[str], advance: Advance | None = None) -> list[tuple[str, str]]:
    """(hash, "") or ("", fault) for each file, named by its path inside a folder, read in parallel.

    A file whose size and times of change are those of an earlier call is not read again.
    """
    index = disk_cache.folder() / KIND / f"{text_hash(os.fsencode(root.resolve()), 16)}.json"
    known = _read(index)
    fresh: dict[str, str] = {}

    def one(name: str) -> tuple[str, str]:
        try:
            if name != printable(name):
                return "", "the file's name is not UTF-8"
            state = os.stat(os.path.join(root, name))
            if state.st_size == 0:
                return "", "the file is empty"
            mark = f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
            before, _, digest = known.get(name, "").rpartition(" ")
            if before != mark:
                digest = content_hash(root / name)
                if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > SETTLED:
                    fresh[name] = f"{mark} {digest}"
            return digest, ""
        except PermissionError:
            return "", "no permission"
        except OSError as error:
            return "", error.strerror or str(error)

    hashed = each(one, names, advance, threads=min(8, (os.cpu_count() or 1) * 2))  # they wait for the disk
    if fresh:
        _write(index, known | fresh)
    return hashed


def printable(text: str) -> str:
    """A path that any file or store can hold: bytes that are not UTF-8 are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _read(index: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        known = json.loads(index.read_text(encoding="utf-8"))
        if isinstance(known, dict) and all(isinstance(state, str) for state in known.values()):
            return known
    return {}


def _write(index: Path, known: dict[str, str]) -> None:
    with suppress(OSError):  # it only saves time
        index.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(index) as building:
            building.write_text(json.dumps(known), encoding="utf-8")
