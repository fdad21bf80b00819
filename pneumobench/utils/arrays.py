"""NumPy files that are larger than memory, written by rows."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np

from pneumobench.utils.space import reserve


class NewRows:
    """The rows of a new `.npy` file: `rows[i] = values`, or `rows[start:] = block`, from any thread.

    They are written, not mapped into memory: a full disk is an OSError, where a memory map ends the process (SIGBUS).
    """

    def __init__(self, file: BinaryIO, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]):
        self._file, self._start, self._shape, self._dtype, self._lock = file, start, shape, dtype, Lock()
        self._size = prod(shape[1:]) * dtype.itemsize

    def __setitem__(self, row: int | slice, values: Any) -> None:
        first, one = (row.start or 0, False) if isinstance(row, slice) else (row, True)
        shape = self._shape[1:] if one else (len(values), *self._shape[1:])
        block = np.ascontiguousarray(np.broadcast_to(np.asarray(values, self._dtype), shape))
        if first + (1 if one else len(values)) > self._shape[0]:
            raise IndexError(f"row {first} and following are not among {self._shape[0]}")
        left = memoryview(block.tobytes())
        with self._lock:
            self._file.seek(self._start + first * self._size)
            while left:
                left = left[self._file.write(left) :]


@contextmanager
def new_array(path: Path, shape: tuple[int, ...], dtype: Any) -> Iterator[NewRows]:
    """A new `.npy` file to write; rows that are not written are zeros. It is on the disk at the end of the block.

    Its space is reserved first. Raises: OSError where there is not enough.
    """
    kind, head = np.dtype(dtype), io.BytesIO()
    fields = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(head, fields)
    size = prod(shape) * kind.itemsize
    with path.open("wb", buffering=0) as file:
        reserve(file.fileno(), path, len(head.getvalue()) + size)
        file.write(head.getvalue())
        file.truncate(len(head.getvalue()) + size)  # where nothing could be reserved
        yield NewRows(file, len(head.getvalue()), shape, kind)
        os.fsync(file.fileno())  # or a power cut may leave what was reserved, and its zeros


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array as `np.save` does, whose error on a full disk has no number. Raises: OSError."""
    with new_array(path, array.shape, array.dtype) as rows:
        rows[0:] = array
