"""What a run shows while it trains: a live display on a terminal, plain lines elsewhere; on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from pneumobench.utils.progress import Epoch, NoteKind, Progress, describe


@contextmanager
def watching() -> Iterator[Progress]:
    """A display for the length of a run."""
    # a duplicate of descriptor 2, which is redirected at times to silence native libraries
    with os.fdopen(os.dup(2), "w") as screen, _printing_to_stderr():
        console = Console(file=screen, highlight=False)
        if console.is_terminal:
            yield from _live(console)
        else:
            yield LineProgress(console)


@contextmanager
def _printing_to_stderr() -> Iterator[None]:
    """What plugins and libraries print meanwhile goes to standard error: standard output is the command's alone."""
    sys.stdout.flush()
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(output, 1)
        os.close(output)


def _live(console: Console) -> Iterator[Progress]:
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[figures]}"),
        console=console,
        transient=True,
    )
    with bars:
        yield LiveProgress(console, bars)


class LineProgress(Progress):
    """Plain lines, for logs."""

    def __init__(self, console: Console):
        self._console = console

    def note(self, text: str, kind: NoteKind = "note") -> None:
        self._print(f"note: {text}")

    def fact(self, text: str) -> None:
        self._print(text)

    def stage(self, text: str) -> None:
        self._print(text)

    def training(self, name: str, epochs: int, steps: int) -> None:
        self._print(f"training {name}: {epochs} epochs of {steps} steps")

    def epoch(self, epoch: Epoch) -> None:
        self._print(describe(epoch))

    def epoch_of(self, name: str, epoch: Epoch) -> None:
        self._print(f"{name}: {describe(epoch)}")

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)


class LiveProgress(Progress):
    """A bar for the stage or the training, and a line for each finished epoch above it."""

    def __init__(self, console: Console, bars: Bars):
        self.console, self._bars = console, bars
        self._task: TaskID | None = None
        self._epochs = self._steps = 0
        self._last = ""

    def note(self, text: str, kind: NoteKind = "note") -> None:
        if kind == "phantom":
            self.console.print(Panel(escape(text), border_style="yellow", title="phantom"))
        else:
            self.console.print(f"[yellow]note[/] {escape(text)}")

    def fact(self, text: str) -> None:
        self.console.print(text, markup=False)

    def stage(self, text: str) -> None:
        self._replace(text, None)

    def advance(self, done: int, total: int) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def training(self, name: str, epochs: int, steps: int) -> None:
        self._epochs, self._steps, self._last = epochs, steps, ""
        self.console.print(f"[bold]{name}[/]: {epochs} epochs of {steps} steps")
        self._replace(f"epoch 1/{epochs}", epochs * steps)

    def batch(self, epoch: int, step: int, loss: float) -> None:
        if self._task is None:
            return
        self._bars.update(
            self._task,
            description=f"epoch {epoch}/{self._epochs}",
            completed=(epoch - 1) * self._steps + step,
            figures=f"loss {loss:.4f}{self._last}",
        )

    def epoch(self, epoch: Epoch) -> None:
        self.console.print(describe(epoch))
        self._last = f"  AUROC {epoch.val_auroc:.4f}  {epoch.images_per_second:.0f} images/s"

    def epoch_of(self, name: str, epoch: Epoch) -> None:
        self.console.print(f"{name}: {describe(epoch)}", markup=False)

    def rest(self) -> None:
        """Leave the screen to another display."""
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = None
        self._bars.stop()

    def _replace(self, text: str, total: int | None) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(text, total=total, figures="")
