"""What a call with several plugins gives: their results, and what failed."""

from __future__ import annotations

from dataclasses import dataclass

from pneumobench.errors import one_line
from pneumobench.experiment.result import Result


@dataclass(frozen=True)
class Failure:
    """A training that failed, or could not be scored, by name; and its error."""

    name: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.name} failed: {one_line(self.error)}"


@dataclass(frozen=True)
class Outcome:
    """The result of each plugin that has one, in the order of the requests, and the trainings that failed."""

    results: tuple[Result, ...]
    failed: tuple[Failure, ...]
