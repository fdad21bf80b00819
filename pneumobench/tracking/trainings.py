"""The trainings that commands and verbs read: those of a tracking store, or of a folder of exported runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pneumobench.errors import UsageError
from pneumobench.tracking.export import read
from pneumobench.tracking.runs import TrackedRun, chosen, of_store, with_files
from pneumobench.tracking.store import Store


def trainings(
    ids: Sequence[str], source: str | Path | None, store: Store, lost: Callable[[str], None]
) -> list[TrackedRun]:
    """Trainings with all their files, those of `ids` or all; `lost` is told of each that is left out.

    Raises: UsageError where there is none.
    """
    if source is not None:
        found = chosen(read(Path(source)), list(ids))
    else:
        found = chosen(of_store(store), list(ids)) if store.exists else []
    whole, lines = with_files(found)
    for line in lines:
        lost(line)
    if not whole:
        raise UsageError("no finished run is tracked here; `pneumobench run baseline` makes one")
    return whole
