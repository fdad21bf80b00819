"""Handles by which the supervisor controls workers, and the one for a process on this machine."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pneumobench.errors import PneumobenchError
from pneumobench.execution.job import Job, Tell

PATIENCE = 15  # seconds that a worker has to end its training after it is asked to stop


class WorkerDied(Exception):  # noqa: N818 (not a user's error)
    """A worker died without an answer; `process` identifies it, if it had been ready before."""

    def __init__(self, why: str, process: Mapping[str, str] | None):
        super().__init__(why)
        self.process = process


@dataclass(frozen=True)
class Answer:
    """What a worker reports of a request, None where there was nothing to train; and its memory in bytes."""

    report: dict[str, Any] | None
    memory: int


class WorkerHandle(Protocol):
    """A worker as the supervisor sees it. `process` is the worker's identity once it is ready."""

    process: Mapping[str, str] | None

    def is_ready(self) -> bool:
        """Whether it can train now, or failed to start."""

    def ready(self) -> int:
        """Wait until it can train; returns its memory in bytes. Raises: WorkerDied, or the error on starting."""

    def work(self, request: Any, tell: Tell) -> Answer:
        """Train what is requested. Raises: WorkerDied."""

    def stop(self) -> None:
        """Stop it; a running training ends as interrupted."""


def identity_and_memory(answer: Mapping[str, Any]) -> tuple[Mapping[str, str], int]:
    """A worker's process identity and memory in bytes, from its first answer. Raises: its error on starting."""
    if "error" in answer:
        error = PneumobenchError(answer["error"])
        error.exit_code = answer["exit_code"]
        raise error
    return answer["ready"], answer["memory"]


class ProcessHandle:
    """A worker process on this machine. With `check` it builds every plugin's network before it is ready."""

    def __init__(self, job: Job, environment: Mapping[str, str], log: Path, *, check: bool = False):
        self.process: Mapping[str, str] | None = None
        self._memory = 0
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._is_ready = threading.Event()
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "pneumobench.execution.process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | environment,
                text=True,
            )
        threading.Thread(target=self._listen, daemon=True).start()
        # on standard input, as command lines are visible to other users and the job may hold a password
        self._send({"opens": job.opens, "job": job.plain(), "check": check})

    def is_ready(self) -> bool:
        return self._is_ready.is_set()

    def ready(self) -> int:
        if self.process is None:
            self.process, self._memory = identity_and_memory(self._answer())
        return self._memory

    def work(self, request: Any, tell: Tell) -> Answer:
        self._send(request)
        while "told" in (answer := self._answer()):
            tell(answer["told"])
        return Answer(answer["report"], answer["memory"])

    def stop(self) -> None:
        with suppress(OSError):
            self._worker.stdin and self._worker.stdin.close()
        self._worker.terminate()
        try:
            self._worker.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def _send(self, what: Any) -> None:
        with suppress(OSError):  # if the worker is dead, reading its answer reports why
            assert self._worker.stdin
            self._worker.stdin.write(json.dumps(what) + "\n")
            self._worker.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        answer = self._answers.get()
        if answer is None:
            with suppress(OSError):  # what it did not read can no longer be written
                self._worker.stdin and self._worker.stdin.close()
            code = self._worker.wait()
            why = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise WorkerDied(f"the worker died ({why}); its log is {self._log}", self.process)
        return answer

    def _listen(self) -> None:
        assert self._worker.stdout
        with self._worker.stdout as lines:
            for line in lines:
                self._answers.put(json.loads(line))
                self._is_ready.set()
        self._answers.put(None)
        self._is_ready.set()
