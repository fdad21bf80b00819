"""One family of exceptions: each message is one line that states the rule, the value and the choices."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from difflib import get_close_matches

DEBUG = "PNEUMOBENCH_DEBUG"  # the variable that asks for frames


class PneumobenchError(Exception):
    """An error that the user can fix; commands and notebooks show the message alone, commands exit with `exit_code`."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows: one, unless PNEUMOBENCH_DEBUG is set; `%debug` goes to the frames."""
        if os.environ.get(DEBUG):
            return "".join(traceback.format_exception(self)).splitlines()
        return [f"{type(self).__name__}: {one_line(self)}"]


class UsageError(PneumobenchError):
    """The call itself is invalid: an unknown name, a value out of range."""

    exit_code = 2


class DataError(PneumobenchError):
    """The images or their folders cannot be used as they are."""


class PluginError(PneumobenchError):
    """A plugin cannot be imported or breaks its contract."""


class WeightsError(PneumobenchError):
    """Pretrained weights are missing, or do not fit the network."""


class TrainingError(PneumobenchError):
    """Training failed, for example because the loss became NaN."""


class TrackingError(PneumobenchError):
    """The tracking store cannot be opened or written."""


class Terminated(SystemExit):
    """The process was asked to end (SIGTERM), unlike a plugin that calls `sys.exit`."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop button, in a verb that has ended what it had begun."""

    def _render_traceback_(self) -> list[str]:
        """The one line that IPython shows."""
        return [f"Interrupted: {self}"]


def text_of(error: BaseException) -> str:
    """An error's own words, even where asking for them fails."""
    try:
        return str(error)
    except Exception as failure:
        return f"(its text cannot be had: {type(failure).__name__})"


def one_line(error: BaseException, *, with_notes: bool = True) -> str:
    """An error in one line: a `PneumobenchError`'s message alone, any other between its class and its notes."""
    text = " ".join(text_of(error).split())
    if isinstance(error, PneumobenchError):
        return text
    notes = [" ".join(str(note).split()) for note in getattr(error, "__notes__", ()) if with_notes]
    return f"{type(error).__name__}: {text}".removesuffix(": ") + (f" ({'; '.join(notes)})" if notes else "")


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """An error for an unknown name, which suggests the closest known one."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    return UsageError(f"no {kind} named '{name}'{hint} Known: {', '.join(known) or 'none'}")
