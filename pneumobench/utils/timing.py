"""Where the time of a command goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds by phase, and in all since it was made: `with clock("train"): …`.

    A phase inside a phase is counted once, as the inner one. Of one that `is_shared`, where others' work lies between
    its phases, the total is theirs alone.
    """

    def __init__(self, *, is_shared: bool = False) -> None:
        self._is_shared = is_shared
        self._began = time.perf_counter()
        self._spent: dict[str, float] = {}
        self._inner = [0.0]  # seconds of the phases inside each phase that is open

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self._spent[phase] = self._spent.get(phase, 0.0) + spent - self._inner.pop()
            self._inner[-1] += spent

    def seconds(self) -> dict[str, float]:
        """Seconds of each phase, and `total`."""
        total = sum(self._spent.values()) if self._is_shared else time.perf_counter() - self._began
        return {**self._spent, "total": total}
