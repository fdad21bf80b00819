"""Tensors of a file that torch saved, read without torch and without running any code of the file."""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.errors import WeightsError

# torch's format before the zip archives: these three pickles, the state dict, its storages' keys, their bytes
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


@dataclass(frozen=True)
class _Storage:
    """A flat run of `count` values, which follow in the file under `key`."""

    dtype: np.dtype[Any]
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage: `start`, `shape` and `strides` count values, not bytes."""

    storage: _Storage
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a state dict in torch's legacy format (not the zip), by name, as arrays of their own.

    Raises: WeightsError where the file holds anything but tensors, is of another format, or is cut short.
    """
    content = path.read_bytes()
    file = io.BytesIO(content)
    try:
        if _Plain(file).load() != MAGIC or _Plain(file).load() != PROTOCOL:
            raise pickle.UnpicklingError("it is not of torch's format from before the zip archives")
        _Plain(file).load()  # of the machine that saved it; torch reads it on little-endian machines alike
        reader = _State(file)
        state = reader.load()
        if not isinstance(state, dict) or not all(isinstance(one, _Tensor) for one in state.values()):
            raise pickle.UnpicklingError("it holds more than named tensors")
        keys = _Plain(file).load()
        if not isinstance(keys, list) or set(keys) != set(reader.storages):
            raise pickle.UnpicklingError("its list of storages is not that of its tensors")
        values = {key: _values(file, reader.storages[key]) for key in keys}
        return {str(name): _array(tensor, values[tensor.storage.key]) for name, tensor in state.items()}
    except WeightsError:
        raise
    except Exception as error:  # a damaged pickle raises nearly anything
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise WeightsError(f"{path} cannot be read as tensors that torch saved: {reason}") from error


class _Plain(pickle.Unpickler):
    """Numbers, texts, lists and dictionaries; whatever has to be imported is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to a storage where there is none")


class _State(_Plain):
    """A state dict: ordered dictionaries and views of storages, nothing else."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _rebuilt
            case "torch", _ if name in DTYPES:
                return np.dtype(DTYPES[name])
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, count, *view = pid
        storage = _Storage(dtype, str(key), int(count))
        if kind != "storage" or not isinstance(dtype, np.dtype) or any(view) or storage.count < 0:
            raise pickle.UnpicklingError(f"it refers to {kind!r}, which is no whole storage")
        if self.storages.setdefault(storage.key, storage) != storage:
            raise pickle.UnpicklingError(f"it gives storage {storage.key} two sizes")
        return storage


def _rebuilt(storage: Any, start: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    """What torch calls to make a tensor of a storage; the rest (gradients, hooks) is for training on."""
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor has no storage")
    tensor = _Tensor(storage, int(start), tuple(map(int, shape)), tuple(map(int, strides)))
    numbers = (tensor.start, *tensor.shape, *tensor.strides)
    last = tensor.start + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if min(numbers) < 0 or math.prod(tensor.shape) > storage.count or last >= max(storage.count, 1):
        raise pickle.UnpicklingError(f"a tensor of shape {tensor.shape} reaches outside its storage")
    return tensor


def _values(file: io.BytesIO, storage: _Storage) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little", signed=True)
    content = file.read(max(count, 0) * storage.dtype.itemsize)
    if count != storage.count or len(content) != count * storage.dtype.itemsize:
        raise pickle.UnpicklingError("it ends before its last tensor")
    return np.frombuffer(content, storage.dtype)


def _array(tensor: _Tensor, values: np.ndarray) -> np.ndarray:
    if not math.prod(tensor.shape):
        return np.zeros(tensor.shape, values.dtype)
    steps = [step * values.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.start :], tensor.shape, steps).copy()
