"""Space on a disk: reserved before it is written to, and what is said where there is not enough."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

FULL = frozenset((errno.ENOSPC, errno.EDQUOT))  # the disk, or the user's share of it


def reserve(descriptor: int, path: Path, size: int) -> None:
    """Reserve `size` bytes for the open file at `path`, where its file system can do that; else see that they are free.

    Raises: OSError (ENOSPC or EDQUOT) where they are not.
    """
    if not size:
        return
    if hasattr(os, "posix_fallocate"):  # neither on macOS nor on Windows
        try:
            os.posix_fallocate(descriptor, 0, size)
            return
        except OSError as error:
            if error.errno in FULL:
                raise
    if shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no space left."""
    return error.errno in FULL


def no_space(folder: Path, needed: int = 0) -> str:
    """A sentence's beginning: where no space is left, how much is needed (0: unknown), how much is free."""
    size = f" for {megabytes(needed)}" if needed else ""
    try:
        return f"no space left in {folder}{size}, {megabytes(shutil.disk_usage(folder).free)} are free"
    except OSError:
        return f"no space left in {folder}{size}"


def megabytes(size: int) -> str:
    """Bytes in MB, as a user reads them."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e6:,.3f} MB"
