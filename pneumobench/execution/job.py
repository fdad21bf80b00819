"""What a worker is started for, and what it does: the two sides that a study and a comparison fill in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol

Tell = Callable[[Mapping[str, Any]], None]  # takes what a worker says in the middle of a training, as JSON has it


class Worker(Protocol):
    """Has what it needs in memory, and trains one thing after the other."""

    def check(self) -> None:
        """Find out what cannot be trained. Raises: what building it raises."""

    def work(self, request: Any, tell: Tell) -> dict[str, Any] | None:
        """Train what is requested, and report it; None where there was nothing to train now."""


class Job(Protocol):
    """What a worker needs to know, on this machine or another, as values of JSON."""

    @property
    def opens(self) -> str:
        """ "module:function": the function takes `plain` and returns the `Worker`."""

    def plain(self) -> dict[str, Any]:
        """The job's values."""


def opened(opens: str, plain: Mapping[str, Any], *, check: bool = False) -> Worker:
    """The worker of a job. Raises: what opening or checking it raises."""
    module, _, function = opens.partition(":")
    worker: Worker = getattr(import_module(module), function)(plain)
    if check:
        worker.check()
    return worker
