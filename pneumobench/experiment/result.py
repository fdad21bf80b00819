"""The result of a run: the same for Python, for `--json` and for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.labels import FREE, METRICS, label
from pneumobench.evaluation.metrics import HALF
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.words import UNDEFINED, figure, number
from pneumobench.experiment.calibration import Calibration
from pneumobench.utils.shown import Shown
from pneumobench.utils.tables import Grid, Part, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_OF_SITE = ("auroc", "sensitivity", "specificity")
HEADINGS = ("", "at the threshold", "at 0.5")


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


@dataclass(frozen=True, repr=False)
class Result(Shown):
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

    def headline(self) -> str:
        """The plugin, its images and its AUROC."""
        part, figures = ("test", self.test) if self.test else ("validation", self.validation)
        return f"{self.plugin} on {self.dataset}: {part} AUROC {figure(figures['auroc'])}, MLflow run {self.run_id}"

    def parts(self) -> list[Part]:
        """The table of metrics, and what a reader has to know beside it."""
        return [self._table(), *self.remarks()]

    def records(self) -> Iterator[dict[str, Any]]:
        """Each metric of validation and test with its interval."""
        for part, figures in (("validation", self.validation), ("test", self.test or {})):
            for name, one in figures.items():
                yield {"part": part, "metric": name, "value": one.value, "low": one.low, "high": one.high, "sd": one.sd}

    def plot(self, metric: str = "auroc") -> Figure:
        """Each training's figure with its interval over patients, and the mean's."""
        from pneumobench.experiment.seeds_plot import draw

        own = [(run.seed, run.split_seed, (run.test or run.validation)[metric]) for run in self.runs]
        several = len({run.split_seed for run in self.runs}) > 1
        names = [f"seed {seed}" + (f", split {split}" if several else "") for seed, split, _ in own]
        part = "test" if self.test else "validation"
        rows = dict(zip(names, (estimate for *_, estimate in own), strict=True))
        if len(own) > 1:
            rows["mean"] = (self.test or self.validation)[metric]
        return draw(rows, f"{label(metric)} of {self.plugin} on the {part} images")

    def _table(self) -> Grid:
        part = "test" if self.test else "validation"
        figures = self.test or self.validation
        total = sum(self.counts[part].values())
        divisions = len({run.split_seed for run in self.runs})
        on = f" on {divisions} divisions" if divisions > 1 else ""
        seeds = f", mean of {len(self.seeds)} seed{'s' * (len(self.seeds) > 1)}{on}" if len(self.runs) > 1 else ""
        if self.folds:
            seeds = f", mean of {self.folds} folds' models" if part == "test" else f", held out in {self.folds} folds"
        at_threshold = [name for name in METRICS if name not in FREE]
        thresholded = [(label(name), figure(figures[name]), figure(figures[name + HALF])) for name in at_threshold]
        rows: list[tuple[str, str, str] | None] = [
            *(row for row in thresholded if row[1:] != (UNDEFINED, UNDEFINED)),  # subtypes that these images lack
            None,
            *((label(name), figure(figures[name]), "") for name in METRICS if name in FREE),
        ]
        if self.test:
            rows += [None, ("majority class, accuracy", figure(self.majority), "")]
            if self.published:
                rows.append(("published accuracy", "", figure(self.published)))
        title = f"{self.plugin} on {total} {part} images of {self.dataset}{seeds}"
        return table(HEADINGS, rows, title=title, whole=HEADINGS[1:])

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures."""
        several = len(self.runs) > 1
        spread = "± is the standard deviation over trainings. " if several else ""
        lines = [f"{spread}In brackets 95 % intervals over patients{' and trainings' if several else ''}."]
        thresholds = ", ".join(number(run.operating.threshold) for run in self.runs)
        lines.append(f"Threshold by {self.operating_point} on validation: {thresholds}.")
        ties = [run.operating.ties for run in self.runs if run.operating.is_tie]
        if ties:
            lines.append(
                f"The threshold is a tie: on validation {max(ties)} thresholds were equally good"
                f"{' in one training' if several else ''}, and the one nearest 0.5 was taken."
            )
        for site, figures in self.sites.items():
            lines.append(
                f"On {site}: " + ", ".join(f"{label(name)} {figure(figures[name])}" for name in SHOWN_OF_SITE) + "."
            )
        if self.calibration:
            lines += self.calibration.sentences()
        if self.dataset == "phantom":
            lines.append("These images are synthetic: nothing here is about patients.")
        if self.test is None:
            lines.append("The test images stayed closed. The threshold was chosen on these same validation images.")
        else:
            lines.append(f"Looks at these test images before this one: {self.looks} (`pneumobench ledger`).")
        speed = f"{self.images_per_second:.0f} images/s in training, {self.precision} on {self.device}"
        lines.append(f"{self.seconds['total']:.0f} s in all, {speed}; MLflow run {self.run_id}.")
        return lines
