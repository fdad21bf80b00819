"""What every stage of an experiment has at hand beside its plugin and images."""

from __future__ import annotations

from dataclasses import dataclass, field

from pneumobench.tracking.store import Store
from pneumobench.utils.progress import Progress
from pneumobench.utils.timing import Clock


@dataclass(frozen=True)
class Session:
    """The tracking store, what is shown while it works, and where the time goes."""

    store: Store
    progress: Progress = field(default_factory=Progress)
    clock: Clock = field(default_factory=Clock)
