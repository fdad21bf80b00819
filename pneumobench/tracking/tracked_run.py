"""One finished training, read from a store or an exported folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pneumobench.evaluation import predictions
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions

PROVENANCE = ("versions", "git_commit")  # two trainings of one seed that differ in these are told apart
ELSEWHERE = "elsewhere"  # the split of an imported model: how its development images were divided is not known


@dataclass(frozen=True, eq=False)
class TrackedRun:
    """One training: its settings, its metrics, and where its per-image predictions are.

    `started` is ISO 8601, UTC; `looks` counts the openings of the same test images before this run's, None
    where it did not open them; `parent` is the run id of its experiment, equal to `run_id` where it has none.
    """

    run_id: str
    parent: str
    started: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    looks: int | None
    file: Callable[[str], Path | None]  # part -> its Parquet file

    @property
    def plugin(self) -> str:
        """The plugin's name."""
        return self.tags["plugin"]

    @property
    def seed(self) -> int:
        """The training seed."""
        return int(self.tags["seed"])

    @property
    def split_seed(self) -> int:
        """The seed of the division into training and validation."""
        return int(self.tags["split_seed"])

    @property
    def training(self) -> tuple[int, int]:
        """What tells it from the other trainings of its experiment: seed and split seed."""
        return self.seed, self.split_seed

    @property
    def provenance(self) -> tuple[str, ...]:
        """The library versions and the commit that it was trained with."""
        return tuple(self.tags.get(name, "") for name in PROVENANCE)

    def predictions(self, part: str) -> Predictions | None:
        """The model's predictions for "validation" or "test"; None where the test images stayed closed.

        An imported model may have none on validation.
        """
        path = self.file(part)
        point = OperatingPoint(
            self.metrics["threshold"], self.tags["operating_point"], int(self.metrics["threshold_ties"])
        )
        return None if path is None else predictions.read(path, point)
