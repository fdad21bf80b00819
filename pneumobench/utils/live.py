"""What a verb shows in a notebook while it works: one output of the cell that is drawn anew, and needs no widgets.

IPython's own display handles carry it, so that Jupyter, Colab, Kaggle, VS Code and an exported page all show it.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, ParamSpec, TypeVar

from pneumobench.errors import Interrupted
from pneumobench.utils import pages
from pneumobench.utils.progress import Epoch, NoteKind, Progress, describe
from pneumobench.utils.tables import Part

P = ParamSpec("P")
R = TypeVar("R")
OFTEN = 0.2  # seconds between two drawings at least
SHOWN = 12  # lines that stay in sight


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, whose outputs can be drawn anew."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def shown(verb: Callable[P, R]) -> Callable[P, R]:
    """A verb that, called in a notebook without a `progress`, shows one of its own."""

    @functools.wraps(verb)
    def watched(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs.get("progress") is not None or not in_notebook():
            return verb(*args, **kwargs)
        with _watching() as progress:
            return verb(*args, **{**kwargs, "progress": progress})  # type: ignore[arg-type]

    return watched


@contextmanager
def _watching() -> Iterator[NotebookProgress]:
    progress = NotebookProgress()
    try:
        yield progress
    except KeyboardInterrupt:
        progress.close("interrupted")
        raise Interrupted("a run that had begun is marked KILLED; the kernel goes on") from None
    except BaseException:
        progress.close("failed")
        raise
    progress.close()


class NotebookProgress(Progress):
    """Lines for what happened, the last ones in sight, and a bar for the stage or the training."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._label, self._done, self._total, self._figures = "", 0, 0, ""
        self._epochs = self._steps = 0
        self._panel = ""
        self._drawn = 0.0
        self._handle: Any = None  # of the output, from the first drawing on

    def note(self, text: str, kind: NoteKind = "note") -> None:
        self._line(f"<b>{escape(kind)}</b> {escape(text)}")

    def fact(self, text: str) -> None:
        self._line(escape(text))

    def stage(self, text: str) -> None:
        self._bar(text, 0, 0)
        self._draw(at_once=True)

    def advance(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        self._draw()

    def training(self, name: str, epochs: int, steps: int) -> None:
        self._epochs, self._steps = epochs, steps
        self._bar(f"epoch 1/{epochs}", 0, epochs * steps)
        self._line(f"<b>{escape(name)}</b>: {epochs} epochs of {steps} steps")

    def batch(self, epoch: int, step: int, loss: float) -> None:
        self._label, self._figures = f"epoch {epoch}/{self._epochs}", f"loss {loss:.4f}"
        self._done, self._total = (epoch - 1) * self._steps + step, self._epochs * self._steps
        self._draw()

    def epoch(self, epoch: Epoch) -> None:
        self._line(escape(describe(epoch)))

    def panel(self, parts: list[Part]) -> None:
        """Show tables and lines in place of the bar."""
        self._panel = pages.html(parts)
        self._draw()

    def close(self, word: str = "") -> None:
        """Take the bar away; what stays are the lines, and how it ended if that was early."""
        where = self._label
        self._bar("", 0, 0)
        self._panel = ""
        if word and (where or self._lines):
            self._lines.append(f"<b>{word}</b>{f': {escape(where)}' if where else ''}")
        if self._handle is not None:
            self._draw(at_once=True)

    def _bar(self, label: str, done: int, total: int) -> None:
        self._label, self._done, self._total, self._figures = label, done, total, ""

    def _line(self, html: str) -> None:
        self._lines.append(html)
        self._draw(at_once=True)

    def _draw(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._drawn < OFTEN:
            return
        self._drawn = now
        if self._handle is None:
            from IPython.display import display

            self._handle = display(_Html(self._page()), display_id=True)
        else:
            self._handle.update(_Html(self._page()))

    def _page(self) -> str:
        older, recent = self._lines[:-SHOWN], self._lines[-SHOWN:]
        content = []
        if older:
            lines = "".join(f"<p>{line}</p>" for line in older)
            content.append(f"<details><summary>{len(older)} lines before</summary>{lines}</details>")
        content += [f"<p>{line}</p>" for line in recent]
        if self._label:
            span = f' max="{self._total}" value="{self._done}"' if self._total else ""
            count = f" {self._done:,} of {self._total:,}" if self._total else ""
            content.append(f"<p><progress{span}></progress> {escape(self._label)}{count} {escape(self._figures)}</p>")
        content += [self._panel] if self._panel else []
        return pages.framed("\n".join(content)) if content else ""


class _Html:
    """HTML that a frontend without it shows as nothing."""

    def __init__(self, html: str):
        self._html = html

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return ""


def snapshots(progress: Progress, parts: Callable[[Any], list[Part]]) -> Callable[[Any], None]:
    """What shows snapshots of a study in a notebook's panel, and nothing elsewhere."""
    if not isinstance(progress, NotebookProgress):
        return lambda snapshot: None
    return lambda snapshot: progress.panel(parts(snapshot))
