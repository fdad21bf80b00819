"""The services that every stage of an experiment uses, apart from its plugin and images."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from pneumobench.experiment.context import Context
from pneumobench.tracking.store import Store
from pneumobench.training.checkpoint import Checkpoints, resumable
from pneumobench.utils.progress import Progress
from pneumobench.utils.timing import Clock


@dataclass(frozen=True)
class Session:
    """The tracking store, the progress display, and the clock that measures the phases."""

    store: Store
    progress: Progress = field(default_factory=Progress)
    clock: Clock = field(default_factory=Clock)


def checkpoints_of(context: Context, session: Session) -> AbstractContextManager[Checkpoints | None]:
    """The checkpoints of a context's training, beside the tracking store; removed where the block ends well."""
    folder = session.store.folder / "checkpoints"
    return resumable(folder, context.identity(), context.train.checkpoint_every, session.progress.note)
