"""Processes that augment beside the training, as Python's threads would wait for one another."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from queue import SimpleQueue
from typing import Protocol

import numpy as np

from pneumobench.errors import PluginError
from pneumobench.training.augmentation import Augmentation

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Augmenter(Protocol):
    """Images (n, height, width) uint8, labels (n,) and seeds (n,) -> augmented images of the same shape."""

    def __call__(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> np.ndarray: ...


class Augmenters:
    """An augmentation in `count` processes, or in this one if that is 1; each is used by one thread at a time.

    The images are the same either way. A transform that cannot be sent to other processes (one of the user's own
    type, say) stays in this one.
    """

    def __init__(self, augmentation: Augmentation, count: int):
        self._process: subprocess.Popen[bytes] | None = None
        self._connections: list[Connection] = []
        every: list[Augmenter] = [augmentation]
        with suppress(Exception):  # what cannot be pickled raises whatever it likes
            if count > 1:
                self._start(pickle.dumps(augmentation.transforms), count)
                every = [_Remote(connection, augmentation) for connection in self._connections]
        self._count = len(every)
        self._free: SimpleQueue[Augmenter] = SimpleQueue()
        for augmenter in every:
            self._free.put(augmenter)

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def one(self) -> Iterator[Augmenter]:
        """One that no other thread uses while the block runs."""
        augmenter = self._free.get()
        try:
            yield augmenter
        finally:
            self._free.put(augmenter)

    def close(self) -> None:
        """End the processes."""
        for connection in self._connections:
            connection.close()
        if self._process:
            self._process.wait()

    def _start(self, transforms: bytes, count: int) -> None:
        pairs = [Pipe() for _ in range(count)]
        theirs = [their.fileno() for _, their in pairs]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pneumobench.training.augmenter", *map(str, theirs)],
            stdin=subprocess.PIPE,
            stdout=2,  # what a transform prints must not be taken for a command's output
            pass_fds=theirs,
            env=os.environ | dict.fromkeys(THREADS, "1"),
        )
        self._connections = [ours for ours, _ in pairs]
        for _, their in pairs:
            their.close()
        assert self._process.stdin
        with suppress(BrokenPipeError), self._process.stdin as stream:
            stream.write(transforms)


class _Remote:
    """The other end of one process; `local` is used where the transform does not arrive there."""

    def __init__(self, connection: Connection, local: Augmentation):
        self._connection, self._local, self._is_ready = connection, local, False

    def __call__(self, pixels: np.ndarray, labels: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        if not self._is_ready:
            try:
                self._connection.recv()
            except (EOFError, OSError):
                return self._local(pixels, labels, seeds)
            self._is_ready = True
        try:
            self._connection.send((pixels, labels, seeds))
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise PluginError("a process that runs the transforms of `augment` died; its memory ran out?") from error
        if isinstance(answer, str):
            raise PluginError(answer)
        return answer
