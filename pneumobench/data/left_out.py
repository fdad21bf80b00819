"""What a layout leaves out: a line for each kind, with how many there are and the first of them."""

from __future__ import annotations


class LeftOut:
    """Counts of what is left out, by kind, in the order in which the kinds came up."""

    def __init__(self, unit: str = "image"):
        self._unit = unit
        self._kinds: dict[str, tuple[int, str]] = {}

    def add(self, why: str, example: str) -> None:
        """One more of a kind."""
        count, first = self._kinds.get(why, (0, example))
        self._kinds[why] = (count + 1, first)

    def lines(self) -> tuple[str, ...]:
        """A line for each kind."""
        return tuple(
            f"{count:,} {self._unit}{'s' * (count != 1)} left out ({why}), such as {first}"
            for why, (count, first) in self._kinds.items()
        )
