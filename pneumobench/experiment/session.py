"""The services that every stage of an experiment uses, apart from its plugin and images."""

from __future__ import annotations

from dataclasses import dataclass, field

from pneumobench.tracking.store import Store
from pneumobench.utils.progress import Progress
from pneumobench.utils.timing import Clock


@dataclass(frozen=True)
class Session:
    """The tracking store, the progress display, and the clock that measures the phases."""

    store: Store
    progress: Progress = field(default_factory=Progress)
    clock: Clock = field(default_factory=Clock)
