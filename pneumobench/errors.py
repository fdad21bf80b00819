"""One family of exceptions: each message is one line that states the law, the value and the choices."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class PneumobenchError(Exception):
    """Something a user can mend; the command line prints the message alone and exits with `exit_code`."""

    exit_code = 1


class UsageError(PneumobenchError):
    """The call itself is wrong: an unknown name, a value out of range."""

    exit_code = 2


class DataError(PneumobenchError):
    """The images or their folders cannot be used as they are."""


class PluginError(PneumobenchError):
    """A plugin cannot be imported or breaks its contract."""


class WeightsError(PneumobenchError):
    """Pretrained weights are missing, or are not the network's."""


class TrainingError(PneumobenchError):
    """A training went wrong, by a loss that is no number, for example."""


class TrackingError(PneumobenchError):
    """The tracking store cannot be opened or written."""


def told(error: Exception) -> str:
    """An error in one line: ours as it is, any other with its kind before it."""
    text = " ".join(str(error).split())
    return text if isinstance(error, PneumobenchError) else f"{type(error).__name__}: {text}"


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """An error for a name that is not among the known ones, with the nearest one suggested."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    return UsageError(f"no {kind} named '{name}'{hint} Known: {', '.join(known) or 'none'}")
