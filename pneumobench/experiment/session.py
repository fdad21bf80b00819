"""The services that every stage of an experiment uses, apart from its plugin and images."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from pneumobench.experiment.context import Context
from pneumobench.tracking import kept
from pneumobench.tracking.store import Store
from pneumobench.training.checkpoint import Checkpoints, resumable
from pneumobench.utils.energy import Meter
from pneumobench.utils.progress import Progress
from pneumobench.utils.timing import Clock


@dataclass(frozen=True)
class Session:
    """The tracking store, the progress display, the clock that measures the phases, and a meter of energy, if any."""

    store: Store
    progress: Progress = field(default_factory=Progress)
    clock: Clock = field(default_factory=Clock)
    meter: Meter | None = None


def checkpoints_of(
    context: Context, session: Session, fold: int | None = None
) -> AbstractContextManager[Checkpoints | None]:
    """The checkpoints of a context's training, or of one fold of it, beside the tracking store; removed where the block
    ends well."""
    folder, identity = session.store.folder / "checkpoints", context.identity()
    identity |= {} if fold is None else {"fold": fold}
    return resumable(folder, identity, context.train.checkpoint_every, session.progress.note)


def open_store(session: Session) -> None:
    """End the runs in the tracking store whose process died, and send it what it had not taken."""
    store, progress = session.store, session.progress
    if not store.exists:
        return
    with session.clock("track"):
        progress.stage("opening the tracking store")
        store.close_abandoned()
        sent, failed = kept.send_all(store)
    for run_id in sent:
        progress.fact(f"run {run_id[:8]} is complete: what was kept of it is sent")
    for line in failed:
        progress.note(line)
