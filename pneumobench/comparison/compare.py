"""From tracked trainings to an answer: which of them may be compared, each one's figures, and each pair's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pneumobench.authoring import registry
from pneumobench.authoring.differences import REFERENCE, differences
from pneumobench.comparison import select
from pneumobench.errors import PneumobenchError
from pneumobench.evaluation import estimates, labels, paired
from pneumobench.evaluation.estimates import PUBLISHED_IMAGES, Estimate
from pneumobench.evaluation.paired import Pair
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import number
from pneumobench.tracking.runs import Experiment, TrackedRun

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
        """How much validation promised beyond what the test images gave."""
        return self.validation[metric].value - self.test[metric].value

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
    def looks(self) -> int:
        """Openings of these test images before the latest result."""
        return max(standing.looks for standing in self.standings)

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [
            f"Intervals of differences hold together with 95 % over all {len(self.pairs)} pairs, and p is corrected in "
            "the same way (Bonferroni): over patients and trainings, or of these trained models over patients alone. "
            "The others are of one figure each, 95 %; ± is the standard deviation over trainings."
        ]
        if self.independent:
            how = "a patient's images are one cluster" if self.independent[0] == "DeLong" else "images are independent"
            lines.append(f"{self.independent[0]}'s test is of pairs with one trained model each; {how}.")
        lines += [*self._floors(), *self._cautions()]
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
        gaps = [standing.gap("auroc") for standing in self.standings]
        optimistic = ": validation figures are optimistic by as much" if min(gaps) > 0 else ""
        return [
            f"Validation AUROC less test AUROC: {min(gaps):+.3f} to {max(gaps):+.3f}{optimistic}.",
            f"Looks at these test images before the latest of these results: {self.looks} (`pneumobench ledger`).",
        ]

    def __json__(self) -> dict[str, Any]:
        return {("plugins" if name == "standings" else name): value for name, value in vars(self).items()}


def compare(
    runs: Sequence[TrackedRun],
    names: Sequence[str] = (),
    *,
    against: str = REFERENCE,
    metric: str = "auroc",
    margin: float | None = None,
    resamples: int = paired.RESAMPLES,
) -> Comparison:
    """Compare plugins, or the runs that ids name, with a reference on the test images that they have in common.

    Without names: of every plugin the latest experiment with most seeds, on the images of the reference.
    Raises: UsageError where nothing is left to compare, saying what to run.
    """
    paired.check(metric)
    picked, left_out = select.pick(runs, names, against)
    reference = next(one for one in picked if select.names(one, against))
    chosen_ones = {select.label(one, picked): one for one in picked}
    label = next(name for name, one in chosen_ones.items() if one is reference)
    models = {name: one.predictions("test") for name, one in chosen_ones.items()}
    held_out = {name: one.predictions("validation") for name, one in chosen_ones.items()}
    pairs = paired.compare(
        models,
        label,
        metric,
        validation=held_out,
        trainings={name: [select.training(run) for run in one.runs] for name, one in chosen_ones.items()},
        shared=select.sharing(chosen_ones),
        folds=[name for name, one in chosen_ones.items() if "folds" in one.tags],
        margin=margin,
        resamples=resamples,
    )
    figures = {"test": estimates.evaluate_all(models), "validation": estimates.evaluate_all(held_out)}
    standings = [
        Standing(
            name=name,
            experiment=one,
            test=figures["test"][name],
            validation=figures["validation"][name],
            differs=_differs(one),
        )
        for name, one in chosen_ones.items()
    ]
    sign = labels.of(metric).sign
    standings.sort(key=lambda standing: -sign * standing.test[metric].value)
    own = models[label]
    is_phantom = reference.tags["dataset"] == select.PHANTOM
    return Comparison(
        dataset=reference.tags["dataset"],
        fingerprint=reference.tags["fingerprint"],
        images=len(own[0]),
        metric=metric,
        reference=label,
        standings=tuple(standings),
        pairs=tuple(sorted(pairs, key=lambda pair: -sign * pair.difference)),
        published=None if is_phantom else estimates.published(),
        published_among=None if is_phantom else _among(own),
        majority=estimates.majority(own[0].label),
        left_out=tuple(left_out),
    )


def _differs(one: Experiment) -> dict[str, str]:
    """In which fields the plugin differs from the baseline as they are now; empty where it cannot be loaded."""
    set_knobs = {"knobs": one.tags["set"]} if "set" in one.tags else {}
    if one.plugin == REFERENCE:
        return set_knobs
    try:
        return differences(registry.load(one.plugin), registry.load(REFERENCE)) | set_knobs
    except PneumobenchError:
        return set_knobs


def _among(models: Sequence[Predictions]) -> tuple[int, int] | None:
    """How many of several seeds are less accurate at 0.5 than the published figure, of how many."""
    accuracies = [float(np.mean((model.probability >= 0.5) == model.label)) for model in models]
    published = estimates.published().value
    return (sum(one < published for one in accuracies), len(accuracies)) if len(accuracies) > 1 else None
