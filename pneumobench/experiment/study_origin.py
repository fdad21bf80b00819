"""The study that selected an experiment's knobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pneumobench.data import split
from pneumobench.data.dataset import Dataset
from pneumobench.errors import UsageError


@dataclass(frozen=True)
class Origin:
    """A study's best trial of a plugin: its knobs and epochs, on which images, and how much search it took.

    `trials` counts the plugin's finished trials, `of` those of the whole study; `seed` is the study's last
    training seed, which later trainings do not reuse; `limit` is the study's.
    """

    study: str
    trial: int
    knobs: Mapping[str, Any]
    epochs: int | None
    seed: int
    trials: int
    of: int
    fingerprint: str
    limit: int | None

    def check(self, dataset: Dataset) -> None:
        """Raises: UsageError unless the study searched on these images or, with a limit, on a subset of them."""
        seen = dataset if self.limit is None else split.limit(dataset, self.limit)
        if self.fingerprint not in (dataset.fingerprint, seen.fingerprint):
            raise UsageError(
                f"study '{self.study}' searched on other images (fingerprint {self.fingerprint[:8]}) than these "
                f"({dataset.name} {dataset.fingerprint[:8]})"
            )

    def tags(self) -> dict[str, Any]:
        """What a comparison reports about the search behind a result."""
        return {
            "from_study": self.study,
            "from_trial": self.trial,
            "trials_spent": self.trials,
            "trials_of_study": self.of,
        }
