"""Signals that end a run, kept out of calls to a database, which they would leave with a lock that nobody releases."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pneumobench.errors import Terminated

DATABASES = {"sqlalchemy", "alembic"}  # the libraries through which Optuna and MLflow reach SQLite and PostgreSQL
LONGEST = 10.0  # seconds after which a signal interrupts the call, as that may be waiting for a server

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def outside_databases(*ending: signal.Signals) -> Iterator[None]:
    """While the block runs, Ctrl-C raises KeyboardInterrupt and `ending` signals raise Terminated, between two calls
    to a database; a signal that is ignored (as by nohup) stays so. Outside of the main thread nothing changes."""
    handlers = {signal.SIGINT: _interrupt, **dict.fromkeys(ending, _terminate)}
    before = {number: signal.getsignal(number) for number in handlers}
    replaced = {number: handler for number, handler in handlers.items() if before[number] is not signal.SIG_IGN}
    if threading.current_thread() is not threading.main_thread():
        replaced = {}
    for number, handler in replaced.items():
        signal.signal(number, _Postponed(handler))
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, before[number])


class _Postponed:
    """A handler that is called when the call to a database that a signal came in has returned."""

    def __init__(self, handler: Handler):
        self._handler, self._is_pending = handler, False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._is_pending:
            return
        if not _in_database(frame) or sys.getprofile() is not None:
            self._handler(number, frame)
            return
        self._is_pending = True
        ends = time.monotonic() + LONGEST

        def on_call_or_return(frame: FrameType, event: str, argument: object) -> None:
            if not _in_database(frame) or time.monotonic() > ends:
                sys.setprofile(None)
                self._is_pending = False
                self._handler(number, frame)

        sys.setprofile(on_call_or_return)


def _in_database(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in DATABASES:
            return True
        frame = frame.f_back
    return False


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated(128 + number)
