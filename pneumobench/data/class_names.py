"""Which words name a class: those of everyday use, or those that the user says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pneumobench.data.layout import Reading
from pneumobench.errors import UsageError

POSITIVE = ("pneumonia", "1", "1.0", "true", "yes", "positive")
NEGATIVE = ("normal", "no finding", "0", "0.0", "false", "no", "negative")
SEPARATOR = "|"  # between several findings of one image, as NIH writes them


@dataclass(frozen=True)
class ClassNames:
    """The names of the two classes in lower case."""

    positive: frozenset[str]
    negative: frozenset[str]

    @classmethod
    def of(cls, reading: Reading) -> ClassNames:
        """The names that the user gave; of a class without any, those of everyday use.

        Raises: UsageError where a name is given for both.
        """
        positive, negative = (_plain(names) for names in (reading.positive, reading.negative))
        if both := positive & negative:
            raise UsageError(f"--positive and --negative both name '{min(both)}'")
        return cls(positive or _plain(POSITIVE) - negative, negative or _plain(NEGATIVE) - positive)

    def label(self, text: str) -> int | None:
        """1, 0, or None for a text that is neither; of several findings, one that is positive is enough."""
        whole = text.strip().lower()
        parts = {part.strip() for part in whole.split(SEPARATOR)} | {whole}
        if parts & self.positive:
            return 1
        return 0 if whole in self.negative else None

    def __str__(self) -> str:
        return f"{' or '.join(sorted(self.negative))} against {' or '.join(sorted(self.positive))}"


def _plain(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in names)
