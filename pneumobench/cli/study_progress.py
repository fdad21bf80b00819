"""What a study shows while it runs: a live table on a terminal, a line for each trial elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live

from pneumobench.cli.progress import LiveProgress
from pneumobench.utils.progress import Progress

if TYPE_CHECKING:
    from pneumobench.search.snapshot import Snapshot


@contextmanager
def showing(progress: Progress) -> Iterator[Callable[[Snapshot], None]]:
    """A function that shows a snapshot, for the length of a study."""
    if not isinstance(progress, LiveProgress):
        from pneumobench.search.told import Lines

        yield Lines(progress)
        return
    panel = Panel(progress)
    try:
        yield panel
    finally:
        panel.close()


class Panel:
    """The whole study, drawn anew at every look; trials that ended scroll away above it."""

    def __init__(self, progress: LiveProgress):
        from pneumobench.search.told import Lines

        self._progress, self._lines = progress, Lines(progress, headed=False)
        self._live: Live | None = None

    def __call__(self, now: Snapshot) -> None:
        from pneumobench.search.told import parts

        if self._live is None:
            self._progress.rest()
            self._live = Live(console=self._progress.console, transient=True, refresh_per_second=4)
            self._live.start()
        self._lines(now)
        self._live.update(Group(*parts(now)))

    def close(self) -> None:
        """Take the table away."""
        if self._live is not None:
            self._live.stop()
