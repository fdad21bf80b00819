"""The result of a run: the same for Python, for `--json` and for the terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.experiment.calibration import Calibration


@dataclass(frozen=True)
class SeedResult:
    """One training: its seed, its MLflow run and its metrics, with intervals over patients alone."""

    seed: int
    run_id: str
    operating: OperatingPoint
    validation: dict[str, Estimate]
    test: dict[str, Estimate] | None
    split_seed: int = 0

    def __json__(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "split_seed": self.split_seed,
            "run_id": self.run_id,
            "threshold": self.operating.threshold,
            "threshold_ties": self.operating.ties,
            "validation": self.validation,
            "test": self.test,
        }


@dataclass(frozen=True)
class Result:
    """An experiment's metrics: of one training, or the mean over several seeds.

    `seconds` is by phase; `images_per_second` is of training, without the first epoch; `test` is None where the
    test images stayed closed. `looks` is how many times these test images had been opened before this run.
    `sites` holds the metrics on the test images of each site, where there are several.
    """

    run_id: str
    plugin: str
    knobs: dict[str, Any]
    epochs: int | None
    dataset: str
    fingerprint: str
    split: str
    split_seed: int
    folds: int | None
    operating_point: str
    counts: dict[str, dict[str, int]]
    validation: dict[str, Estimate]
    test: dict[str, Estimate] | None
    majority: Estimate
    published: Estimate | None
    runs: tuple[SeedResult, ...]
    seconds: dict[str, float]
    images_per_second: float
    parameters: int
    precision: str
    device: str
    backend: str
    looks: int = 0
    limit: int | None = None
    notes: tuple[str, ...] = field(default=())
    sites: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    calibration: Calibration | None = None

    @property
    def seeds(self) -> list[int]:
        """The training seeds."""
        return list(dict.fromkeys(run.seed for run in self.runs))

    @property
    def threshold(self) -> float:
        """The operating threshold; with several seeds the mean of the thresholds in `runs`."""
        return sum(run.operating.threshold for run in self.runs) / len(self.runs)

    def __json__(self) -> dict[str, Any]:
        plain = (
            "run_id plugin knobs epochs dataset fingerprint split split_seed folds seeds operating_point threshold "
            "counts seconds images_per_second parameters precision device backend looks limit"
        )
        calibration = {} if self.calibration is None else {"calibration": self.calibration}
        return {
            **{name: getattr(self, name) for name in plain.split()},
            "validation": self.validation,
            "test": self.test,
            "majority_accuracy": self.majority,
            "published_accuracy": self.published,
            "runs": self.runs,
            "notes": self.notes,
            "sites": self.sites,
            **calibration,
        }
