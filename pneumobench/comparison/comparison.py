"""What a comparison says: each plugin's standing, each pair's verdict, and what a reader has to know beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pneumobench.comparison.by_group import ByGroup
from pneumobench.comparison.elsewhere import Elsewhere
from pneumobench.data.lockbox import Margin
from pneumobench.evaluation import labels
from pneumobench.evaluation.estimates import PUBLISHED_IMAGES, Estimate
from pneumobench.evaluation.pair import Pair
from pneumobench.evaluation.words import number
from pneumobench.tracking.runs import Experiment

INDEPENDENT = {"DeLong": "delong_p", "McNemar": "mcnemar_p"}  # tests of two single models, and their fields


@dataclass(frozen=True)
class Standing:
    """One plugin's figures on the test images and on validation, and what they cost."""

    name: str
    experiment: Experiment
    test: dict[str, Estimate]
    validation: dict[str, Estimate]
    differs: dict[str, str]

    def gap(self, metric: str) -> float:
        """How much validation promised beyond what the test images gave; nan where nothing is known on validation."""
        return self.validation[metric].value - self.test[metric].value if self.validation else float("nan")

    @property
    def seeds(self) -> int:
        """How many trainings it is the mean of."""
        return len(self.experiment.runs)

    @property
    def looks(self) -> int:
        """Openings of the same test images before the last of its own."""
        return max(run.looks or 0 for run in self.experiment.runs)

    @property
    def trials_spent(self) -> int:
        """Trials of the search that found its knobs; 0 where none did."""
        return int(self.experiment.tags.get("trials_spent", 0))

    @property
    def parameters(self) -> int | None:
        """Parameters of the model, where they are known."""
        count = self.experiment.tags.get("parameters")
        return None if count is None else int(count)

    def __json__(self) -> dict[str, Any]:
        return {
            "plugin": self.experiment.plugin,
            "name": self.name,
            "run_ids": [run.run_id for run in self.experiment.runs],
            "seeds": [run.seed for run in self.experiment.runs],
            "test": self.test,
            "validation": self.validation,
            "thresholds": [run.metrics["threshold"] for run in self.experiment.runs],
            "training_seconds": self.experiment.seconds,
            "parameters": self.parameters,
            "trials_spent": self.trials_spent,
            "looks": self.looks,
            "differs_from_baseline": self.differs,
            "commands": sorted({run.tags["command"] for run in self.experiment.runs}),
        }


@dataclass(frozen=True)
class Comparison:
    """All standings, the best first; the reference's pairs; the floors; and what was left out, each with its reason.

    `published_among` is how many of the reference's seeds are less accurate at 0.5 than the published figure.
    """

    dataset: str
    fingerprint: str
    images: int
    metric: str
    reference: str
    standings: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    published: Estimate | None
    published_among: tuple[int, int] | None
    majority: Estimate
    left_out: tuple[str, ...]
    division: str = ""
    all_pairs: bool = False
    margin: Margin | None = None
    sites: tuple[Elsewhere, ...] = ()
    groups: tuple[ByGroup, ...] = ()
    permuted: tuple[str, ...] = ()  # where figures lie among those of permuted labels

    @property
    def subject(self) -> str:
        """The images that all were scored on."""
        return f"{self.images} test images of {self.dataset} (fingerprint {self.fingerprint[:8]}), the same for all"

    @property
    def independent(self) -> tuple[str, list[float | None]] | None:
        """The test of two single models, and its p for each pair, None where a side has several models."""
        for name, field in INDEPENDENT.items():
            values = [getattr(pair, field) for pair in self.pairs]
            if any(value is not None for value in values):
                return name, values
        return None

    @property
    def family(self) -> str:
        """Which pairs are tested together."""
        count = len(self.pairs)
        pairs = f"{count} pair{'s' if count > 1 else ''}"
        return f"all {pairs}" if self.all_pairs else f"{pairs}, each plugin with {self.reference}"

    def rank(self, name: str) -> tuple[int, int] | None:
        """The best and the worst rank that the verdicts leave a plugin; None unless all pairs were tested."""
        if not self.all_pairs:
            return None
        own = [(pair.verdict, pair.plugin == name) for pair in self.pairs if name in (pair.plugin, pair.reference)]
        above = sum(verdict == ("worse" if is_first else "better") for verdict, is_first in own)
        below = sum(verdict == ("better" if is_first else "worse") for verdict, is_first in own)
        return 1 + above, len(self.standings) - below

    @property
    def looks(self) -> int:
        """Openings of these test images before the latest result."""
        return max(standing.looks for standing in self.standings)

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [
            f"The primary metric is {labels.label(self.metric)}; figures of others are exploratory. The family is "
            f"{self.family}: the intervals of its differences hold together with 95 %, and p is corrected in the same "
            "way (Bonferroni): over patients and trainings, or of these trained models over patients alone. "
            "The others are of one figure each, 95 %; ± is the standard deviation over trainings."
        ]
        if self.independent:
            how = "a patient's images are one cluster" if self.independent[0] == "DeLong" else "images are independent"
            lines.append(f"{self.independent[0]}'s test is of pairs with one trained model each; {how}.")
        lines += [*self._floors(), *self._cautions(), f"{self.division}."]
        lines += [f"{line}." for line in self.permuted]
        lines += [remark for one in self.sites for remark in one.remarks()]
        lines += list(dict.fromkeys(remark for one in self.groups for remark in one.remarks()))
        names = {one.name: one.experiment.name for one in self.standings}
        lines += [f"{name} is short for {whole}." for name, whole in names.items() if name != whole]
        return lines + [f"Left out: {one}." for one in self.left_out]

    def _floors(self) -> list[str]:
        lines = [f"Always predicting the majority class: accuracy {number(self.majority.value)}."]
        if self.published:
            low, high = number(self.published.low), number(self.published.high)
            lines.append(
                f"Published: {100 * self.published.value:.2f} % accurate at 0.5, one proportion of {PUBLISHED_IMAGES} "
                f"images with the Wilson interval [{low}, {high}]."
            )
        if self.published_among:
            below, seeds = self.published_among
            lines[-1] += f" {below} of {seeds} seeds of {self.reference} are below it."
        return lines

    def _cautions(self) -> list[str]:
        gaps = [standing.gap("auroc") for standing in self.standings if standing.validation]
        optimistic = ": validation figures are optimistic by as much" if min(gaps, default=0) > 0 else ""
        return [
            *([f"Validation AUROC less test AUROC: {min(gaps):+.3f} to {max(gaps):+.3f}{optimistic}."] if gaps else []),
            f"Looks at these test images before the latest of these results: {self.looks} (`pneumobench ledger`).",
            *self._margin(),
            *self._after_looks(),
            *self._imported(),
        ]

    def _imported(self) -> list[str]:
        names = ", ".join(standing.name for standing in self.standings if standing.experiment.is_imported)
        if not names:
            return []
        return [
            f"Imported: {names}. On which images that was trained, and how often these test images were looked at, is "
            "known to its author alone."
        ]

    def _margin(self) -> list[str]:
        if self.margin is None:
            return []
        first = min(run.started for standing in self.standings for run in standing.experiment.runs)
        is_known = not any(standing.experiment.is_imported for standing in self.standings)
        when = "before" if self.margin.when < first and is_known else "after"
        if not is_known and self.margin.when < first:
            when = "before the import, and perhaps after"
        exploratory = "" if when == "before" else ", so that what it shows is exploratory"
        return [
            f"The margin of {number(self.margin.margin)} was named {when} the first of these trainings{exploratory} "
            f"({self.margin.when[:10]}, in the ledger)."
        ]

    def _after_looks(self) -> list[str]:
        late = [
            f"{standing.name} (seed {', '.join(str(run.seed) for run in runs)})"
            for standing in self.standings
            if (runs := standing.experiment.after_look)
        ]
        if not late:
            return []
        return [
            "Trained after these test images had been opened for the same plugin, which makes false detections more "
            f"likely: {', '.join(late)}."
        ]

    def __json__(self) -> dict[str, Any]:
        named = {("plugins" if name == "standings" else name): value for name, value in vars(self).items()}
        return {name: value for name, value in named.items() if value or name not in ("sites", "groups", "permuted")}
