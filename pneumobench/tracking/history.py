"""The metrics of a training's epochs, which wait where the store does not answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pneumobench.errors import TrackingError
from pneumobench.tracking.recorder import Recorder

LATER = 60.0  # seconds until the next attempt after one that failed, as each takes a while


@dataclass
class History:
    """Logs epochs to a run, `between` seconds apart at least; what the store did not take goes with the next ones."""

    run: Recorder
    between: float = 0.0
    _waiting: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    _next: float = 0.0

    def add(self, number: int, figures: Mapping[str, float]) -> None:
        """Add an epoch, numbered from 1."""
        self._waiting.append((number, figures))
        if time.monotonic() >= self._next:
            try:
                self.write()
            except TrackingError:  # the training goes on; its end tries again and reports what fails then
                self._next = time.monotonic() + LATER

    @property
    def waiting(self) -> list[tuple[int, Mapping[str, float]]]:
        """The epochs that the store does not hold yet."""
        return list(self._waiting)

    def write(self) -> None:
        """Log what waits. Raises: TrackingError."""
        self.run.history(self._waiting)
        self._waiting.clear()
        self._next = time.monotonic() + self.between
