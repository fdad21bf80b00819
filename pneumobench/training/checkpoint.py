"""A training's state on disk, from which the same training is resumed: written whole, at the end of an epoch."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from pneumobench.utils.files import whole_file
from pneumobench.utils.hashing import text_hash
from pneumobench.utils.space import is_full, no_space

KEPT = 30 * 24 * 3600  # seconds until the state of a training that nobody resumed is removed
ABOUT = "about"
Arrays = Mapping[str, Sequence[np.ndarray]]


@dataclass(frozen=True)
class State:
    """What a file holds: numbers and words as JSON has them, and lists of arrays by name."""

    about: dict[str, Any]
    arrays: dict[str, list[np.ndarray]]


@dataclass
class Checkpoint:
    """One network's file, written at most every `every` seconds; `note` is told once if it cannot be written."""

    path: Path
    every: float
    note: Callable[[str], None]
    _last: float = field(default_factory=time.monotonic)
    _is_off: bool = False

    @property
    def is_due(self) -> bool:
        """Whether the state is to be written at the end of this epoch."""
        return not self._is_off and time.monotonic() - self._last >= self.every

    def write(self, about: Mapping[str, Any], arrays: Arrays) -> None:
        """Replace the state. A disk that takes no more ends this for the whole training, which continues."""
        named = {f"{name}/{i}": _plain(array) for name, own in arrays.items() for i, array in enumerate(own)}
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path) as building, building.open("wb") as file:
                np.savez(file, **{ABOUT: text}, **named)  # type: ignore[arg-type]
        except OSError as error:
            self._is_off = True
            why = no_space(self.path.parent) if is_full(error) else f"{error.strerror or error} ({self.path.parent})"
            self.note(f"the training continues without checkpoints: {why}")
        self._last = time.monotonic()

    def read(self) -> State | None:
        """The state that was written last; None where there is none, or it is damaged."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                about = json.loads(file[ABOUT].tobytes())
                arrays: dict[str, list[np.ndarray]] = {}
                for name in file.files:
                    if name != ABOUT:
                        arrays.setdefault(name.rpartition("/")[0], []).append(file[name])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            self.note(f"the checkpoint {self.path} is damaged: the training starts anew")
            return None
        return State(about, arrays)


@dataclass(frozen=True)
class Checkpoints:
    """The files of one training, which may be of several networks: one for each fold, or member of an ensemble."""

    folder: Path
    every: float
    note: Callable[[str], None]
    part: str = ""

    def of_part(self, part: str) -> Checkpoints:
        """Those of one fold, or of one of a trial's repeats."""
        return Checkpoints(self.folder, self.every, self.note, f"{self.part} {part}".strip())

    def of(self, network: str) -> Checkpoint:
        """That of one network."""
        return Checkpoint(self.folder / f"{text_hash(f'{self.part} {network}', 8)}.npz", self.every, self.note)


def folder_of(identity: Mapping[str, Any]) -> str:
    """The name of the folder for what is kept of the training that `identity` names."""
    return text_hash(json.dumps(dict(identity), sort_keys=True, default=str), 16)


@contextmanager
def resumable(
    parent: Path, identity: Mapping[str, Any], every: float, note: Callable[[str], None]
) -> Iterator[Checkpoints | None]:
    """The checkpoints of the training that `identity` names, in a folder of `parent`; removed if the block ends well.

    None while another process trains the same thing. What an error or a kill leaves is read by the next call.
    """
    folder = parent / folder_of(identity)
    lock = FileLock(f"{folder}.lock")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_old(parent)
        lock.acquire(timeout=0)
    except Timeout:
        note("another process is training the same: no checkpoints are written")
        yield None
        return
    except OSError as error:
        note(f"the training has no checkpoints: {error.strerror or error} ({parent})")
        yield None
        return
    try:
        yield Checkpoints(folder, every, note)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.release()
        with suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)


def _remove_old(parent: Path) -> None:
    for folder in parent.iterdir():
        with suppress(OSError):
            if folder.is_dir() and time.time() - folder.stat().st_mtime > KEPT:
                shutil.rmtree(folder, ignore_errors=True)


def _plain(array: np.ndarray) -> np.ndarray:
    """The array in a type that NumPy's files know; bfloat16 fits float32."""
    array = np.asarray(array)
    return array if array.dtype.isbuiltin == 1 else array.astype(np.float32)
