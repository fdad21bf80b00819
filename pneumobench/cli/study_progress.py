"""What a study shows while it runs: a live table on a terminal, a line for each trial elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.text import Text

from pneumobench.cli.progress import LiveProgress
from pneumobench.cli.render import Grid, table
from pneumobench.utils.progress import Progress

if TYPE_CHECKING:
    from pneumobench.search.snapshot import EndedTrial, Snapshot

SHOWN = 5  # improvements of the best value


@contextmanager
def showing(progress: Progress) -> Iterator[Callable[[Snapshot], None]]:
    """A function that shows a snapshot, for the length of a study."""
    if not isinstance(progress, LiveProgress):
        yield Lines(progress)
        return
    panel = Panel(progress)
    try:
        yield panel
    finally:
        panel.close()


class Lines:
    """A line for each trial that ended since the last look."""

    def __init__(self, progress: Progress, *, headed: bool = True):
        self._progress, self._headed = progress, headed
        self._reported: set[int] | None = None

    def __call__(self, now: Snapshot) -> None:
        if self._reported is None:  # what a resumed study holds is not news
            self._reported = {trial.number for trial in now.ended}
            if self._headed:
                self._progress.fact(headline(now))
        for trial in now.ended:
            if trial.number not in self._reported:
                self._reported.add(trial.number)
                self._progress.fact(f"{line(trial, now)}  [{now.finished} of {now.target}]")


class Panel:
    """The whole study, drawn anew at every look; trials that ended scroll away above it."""

    def __init__(self, progress: LiveProgress):
        self._progress, self._lines = progress, Lines(progress, headed=False)
        self._live: Live | None = None

    def __call__(self, now: Snapshot) -> None:
        if self._live is None:
            self._progress.rest()
            self._live = Live(console=self._progress.console, transient=True, refresh_per_second=4)
            self._live.start()
        self._lines(now)
        self._live.update(draw(now))

    def close(self) -> None:
        """Take the table away."""
        if self._live is not None:
            self._live.stop()


def draw(now: Snapshot) -> Group:
    """Counts, the best so far and how it changed, and what each worker does."""
    steps = " → ".join(f"{value:.4f} ({number})" for number, value in now.improvements[-SHOWN:]) or "none yet"
    idle = Text("workers are starting, or between two trials", style="dim")
    return Group(
        Text(headline(now), style="bold"),
        Text(f"best {now.metric} (trial): {steps}"),
        _workers(now) if now.running else idle,
    )


def headline(now: Snapshot) -> str:
    """Trials by state, rate and time left, in a line."""
    counts = f"{now.finished} of {now.target} trials done ({now.states['pruned']} pruned)"
    counts += f", {now.states['running']} running, {now.states['fail']} failed"
    rate = f"  {now.rate * 3600:,.0f} an hour" if now.rate else ""
    left = "" if now.left is None else f", {_span(now.left)} left"
    return f"study {now.name}: {counts}{rate}{left}"


def line(trial: EndedTrial, now: Snapshot) -> str:
    """One finished trial in a line."""
    if trial.state == "fail":
        return f"trial {trial.number} {trial.plugin}: FAILED, {trial.error}"
    value = "" if trial.value is None else f"  {now.metric} {trial.value:.4f}"
    best = "  (best so far)" if trial.number in {number for number, _ in now.improvements[-1:]} else ""
    state = "pruned" if trial.state == "pruned" else "done"
    return f"trial {trial.number} {trial.plugin}: {state}{value}  {trial.seconds:.1f} s{best}"


def _workers(now: Snapshot) -> Grid:
    rows = []
    for one in now.running:
        value = "-" if one.value is None else f"{one.value:.4f}"
        rows.append((one.worker, str(one.number), one.plugin, str(one.epoch), value))
    return table(("worker", "trial", "plugin", "epoch", now.metric), rows)


def _span(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
