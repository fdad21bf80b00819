"""Where fetched images are put: a new folder that is complete or absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pneumobench.errors import DataError, UsageError
from pneumobench.utils.files import whole_folder
from pneumobench.utils.space import is_full, no_space


@contextmanager
def placing(target: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes `target` at the end, or is removed where anything goes wrong.

    Raises: UsageError if `target` exists and is not empty; DataError if it cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already; name another place with --to, or remove it")
    try:
        with whole_folder(target, replace=False) as building:
            yield building
    except OSError as error:
        if is_full(error):
            raise DataError(f"{no_space(target.parent)}; --to names another place") from error
        raise DataError(f"cannot write {target}: {error.strerror or error}") from error
