"""What plugins change for the whole process, restored after their code has run."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OURS = ("PNEUMOBENCH_", "MLFLOW_")  # beginnings of variables that say what is read and where it is recorded


@contextmanager
def restored() -> Iterator[None]:
    """After the block the working directory, streams, filters of warnings, signal handlers, `sys.argv`, NumPy's error
    handling, and what was removed from `sys.path` and the environment, are as before; `os._exit` raises SystemExit."""
    undo = [_folder(), _signals(), _lists(), _environment(), _numpy(), _streams(), _exit()]
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for step in reversed(undo):
            step()


class _Open:
    """A stream that its user cannot close."""

    def __init__(self, stream: Any):
        self._stream = stream

    def close(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)


def _streams() -> Callable[[], None]:
    before = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    for name, stream in before.items():
        if stream is not None and not isinstance(stream, _Open):
            setattr(sys, name, _Open(stream))

    def undo() -> None:
        for name, stream in before.items():
            setattr(sys, name, stream)

    return undo


def _folder() -> Callable[[], None]:
    try:
        before = os.getcwd()
    except OSError:
        return lambda: None

    def undo() -> None:
        with suppress(OSError):
            os.chdir(before)

    return undo


def _signals() -> Callable[[], None]:
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def undo() -> None:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)

    return undo


def _lists() -> Callable[[], None]:
    argv, path = list(sys.argv), list(sys.path)

    def undo() -> None:
        sys.argv[:] = argv
        sys.path[:] = [*sys.path, *(folder for folder in path if folder not in sys.path)]

    return undo


def _environment() -> Callable[[], None]:
    before = dict(os.environ)

    def undo() -> None:
        for name in [name for name in os.environ if name.startswith(OURS) and name not in before]:
            del os.environ[name]
        for name, value in before.items():
            if name not in os.environ or name.startswith(OURS):
                os.environ[name] = value

    return undo


def _numpy() -> Callable[[], None]:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return lambda: None
    before = numpy.geterr()
    return lambda: numpy.seterr(**before)


def _exit() -> Callable[[], None]:
    leave, process = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if os.getpid() != process:  # a child that was forked
            leave(status)
        raise SystemExit(status)

    os._exit = refuse  # type: ignore[assignment]

    def undo() -> None:
        os._exit = leave

    return undo
