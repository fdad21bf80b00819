"""What a call with several plugins gives: their results, and what failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pneumobench.errors import one_line
from pneumobench.experiment.result import Result
from pneumobench.utils.shown import Shown
from pneumobench.utils.tables import Part


@dataclass(frozen=True)
class Failure:
    """A training that failed, or could not be scored, by name; and its error."""

    name: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.name} failed: {one_line(self.error)}"


@dataclass(frozen=True, repr=False)
class Outcome(Shown):
    """The result of each plugin that has one, in the order of the requests, and the trainings that failed."""

    results: tuple[Result, ...]
    failed: tuple[Failure, ...]

    def headline(self) -> str:
        """How many plugins have a result, and what failed."""
        names = ", ".join(result.plugin for result in self.results)
        return "; ".join([f"results of {len(self.results)} plugins: {names}", *map(str, self.failed)])

    def parts(self) -> list[Part]:
        """Each result's tables and remarks, and a line for each training that failed."""
        return [*(part for result in self.results for part in result.parts()), *map(str, self.failed)]

    def records(self) -> Iterator[dict[str, Any]]:
        """The results' figures, a row a plugin and metric."""
        for result in self.results:
            for record in result.records():
                yield {"plugin": result.plugin, **record}
