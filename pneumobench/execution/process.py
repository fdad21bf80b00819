"""A worker as a process of this machine: `main` takes a job and then requests on standard input, as lines of JSON."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

import psutil

from pneumobench.errors import one_line
from pneumobench.execution.job import opened
from pneumobench.utils import provenance
from pneumobench.utils.interrupts import outside_databases


def memory() -> int:
    """Memory of this process in bytes, without pages that are shared or backed by files."""
    used = psutil.Process().memory_info()
    return used.rss - getattr(used, "shared", 0)


def when_ready() -> dict[str, Any]:
    """A worker's first answer, once it can train: the identity of its process, and its memory."""
    return {"ready": provenance.process(), "memory": memory()}


def when_failed(error: Exception) -> dict[str, Any]:
    """A worker's first answer, if it failed to start."""
    return {"error": one_line(error), "exit_code": getattr(error, "exit_code", 1)}


def main() -> None:
    """Answer each request with a line of JSON; in between, lines that tell how a training goes."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to the log
    requests = _received(os.fdopen(os.dup(0)))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a plugin that reads gets nothing, and takes no request
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent stops its workers
    with outside_databases(signal.SIGTERM):
        _work(requests, answers)


def _received(lines: TextIO) -> Iterator[str]:
    """The lines of standard input, until it is closed; then a worker whose parent was killed ends its training too."""
    received: queue.Queue[str | None] = queue.Queue()
    parent = os.getppid()

    def listen() -> None:
        for line in lines:
            received.put(line)
        received.put(None)
        if os.getppid() != parent:  # a parent that lives ends its workers itself
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()
    return iter(received.get, None)  # the sentinel ends it


def _work(requests: Iterator[str], answers: TextIO) -> None:
    start = json.loads(next(requests))
    try:
        worker = opened(start["opens"], start["job"], check=start["check"])
    except Exception as error:
        _answer(answers, when_failed(error))
        raise
    _answer(answers, when_ready())
    for line in requests:  # closed when the parent exits
        report = worker.work(json.loads(line), lambda told: _answer(answers, {"told": dict(told)}))
        _answer(answers, {"report": report, "memory": memory()})


def _answer(answers: TextIO, what: Mapping[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
