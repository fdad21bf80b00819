"""Which images, and how they are divided: the options of every command that reads images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pneumobench.errors import UsageError

Policy = Literal["patient", "official"]


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The images (`data` as in `locate.find`), the split with its seed, and what to do with images at fault.

    `split_seeds` divisions are trained on, from `split_seed` on. `limit` is about how many images to take, whole
    patients each; None takes all.
    Raises: UsageError for a word or a number that cannot be met.
    """

    data: str | None = None
    split: str = "patient"
    split_seed: int = 0
    split_seeds: int = 1
    limit: int | None = None
    skip_unreadable: bool = False
    allow_leak: bool = False

    @property
    def divisions(self) -> range:
        """The seeds of the divisions."""
        return range(self.split_seed, self.split_seed + self.split_seeds)

    def __post_init__(self) -> None:
        if isinstance(self.data, Path):
            object.__setattr__(self, "data", str(self.data))
        check_policy(self.split)
        at_least(
            ("--split-seed", self.split_seed, 0), ("--split-seeds", self.split_seeds, 1), ("--limit", self.limit, 1)
        )


def check_policy(policy: str) -> None:
    """Raises: UsageError unless the policy is one that a split can follow."""
    if policy not in get_args(Policy):
        raise UsageError(f"--split is one of {', '.join(get_args(Policy))}, not '{policy}'")


def at_least(*numbers: tuple[str, int | None, int]) -> None:
    """Raises: UsageError for the first (option, value, least) whose value is below the least; None is none."""
    for option, value, least in numbers:
        if value is not None and value < least:
            raise UsageError(f"{option} is at least {least}, not {value}")
