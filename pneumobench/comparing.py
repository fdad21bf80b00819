"""From tracked trainings to an answer: which of them may be compared, each one's figures, and each pair's verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pneumobench import registry
from pneumobench.anatomy import REFERENCE, differences
from pneumobench.errors import PneumobenchError, UsageError
from pneumobench.evidence import comparison, evaluation
from pneumobench.evidence.comparison import Pair
from pneumobench.evidence.evaluation import Estimate
from pneumobench.evidence.predictions import Predictions
from pneumobench.runs import Experiment, TrackedRun, chosen, experiments

PHANTOM = "phantom"


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
    def seconds(self) -> float:
        """Mean seconds of a training."""
        return float(np.mean([run.metrics["training_seconds"] for run in self.experiment.runs]))

    @property
    def parameters(self) -> int | None:
        """Parameters of the model, where they are known."""
        found = self.experiment.tags.get("parameters")
        return None if found is None else int(found)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "plugin": self.experiment.plugin,
            "name": self.name,
            "run_ids": [run.run_id for run in self.experiment.runs],
            "seeds": [run.seed for run in self.experiment.runs],
            "test": {metric: estimate.as_dict() for metric, estimate in self.test.items()},
            "validation": {metric: estimate.as_dict() for metric, estimate in self.validation.items()},
            "thresholds": [run.metrics["threshold"] for run in self.experiment.runs],
            "training_seconds": self.seconds,
            "parameters": self.parameters,
            "trials_spent": self.trials_spent,
            "looks": self.looks,
            "differs_from_baseline": self.differs,
            "commands": sorted({run.tags["command"] for run in self.experiment.runs}),
        }


@dataclass(frozen=True)
class Comparison:
    """All standings, the best first; the reference's pairs; the floors; and what was left out, with a word why.

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

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "dataset": self.dataset,
            "fingerprint": self.fingerprint,
            "images": self.images,
            "metric": self.metric,
            "reference": self.reference,
            "plugins": [standing.as_dict() for standing in self.standings],
            "pairs": [pair.as_dict() for pair in self.pairs],
            "published": self.published and self.published.as_dict(),
            "published_among": self.published_among,
            "majority": self.majority.as_dict(),
            "left_out": list(self.left_out),
        }


def compare(
    runs: Sequence[TrackedRun],
    names: Sequence[str] = (),
    *,
    against: str = REFERENCE,
    metric: str = "auroc",
    resamples: int = comparison.RESAMPLES,
) -> Comparison:
    """Compare plugins, or the runs that ids name, with a reference on the test images that they have in common.

    Without names: of every plugin the latest experiment with most seeds, on the images of the reference.
    Raises: UsageError where nothing is left to compare, saying what to run.
    """
    comparison.check(metric)
    picked, left_out = _picked(runs, names, against)
    reference = next(one for one in picked if _is(one, against))
    chosen_ones = {_label(one, picked): one for one in picked}
    label = next(name for name, one in chosen_ones.items() if one is reference)
    models = {name: one.predictions("test") for name, one in chosen_ones.items()}
    pairs = comparison.compare(models, label, metric, resamples=resamples)
    standings = [
        Standing(
            name=name,
            experiment=one,
            test=evaluation.evaluate(models[name]),
            validation=evaluation.evaluate(one.predictions("validation")),
            differs=_differs(one),
        )
        for name, one in chosen_ones.items()
    ]
    sign = comparison.METRICS[metric]
    standings.sort(key=lambda standing: -sign * standing.test[metric].value)
    own = models[label]
    is_phantom = reference.tags["dataset"] == PHANTOM
    return Comparison(
        dataset=reference.tags["dataset"],
        fingerprint=reference.tags["fingerprint"],
        images=len(own[0]),
        metric=metric,
        reference=label,
        standings=tuple(standings),
        pairs=tuple(sorted(pairs, key=lambda pair: -sign * pair.difference)),
        published=None if is_phantom else evaluation.published(),
        published_among=None if is_phantom else _among(own),
        majority=evaluation.majority(own[0].label),
        left_out=tuple(left_out),
    )


def _picked(runs: Sequence[TrackedRun], names: Sequence[str], against: str) -> tuple[list[Experiment], list[str]]:
    """The experiments to compare, the reference among them, and why each other one is not."""
    every = experiments(runs)
    references = [one for one in every if _is(one, against) and one.opened_test]
    if not references:
        raise UsageError(
            f"no finished run of '{against}' opened the test images; `pneumobench run {against}` makes one"
        )
    wanted = [*names, against] if names else sorted({one.plugin for one in every} | {against})
    candidates = {name: _named(name, runs, every) for name in wanted}
    usual = [one for one in references if one.tags["dataset"] != PHANTOM and "limit" not in one.tags] or references
    fingerprint, limit = usual[0].tags["fingerprint"], usual[0].tags.get("limit")
    division = _commonest(candidates, fingerprint, limit)
    picked: list[Experiment] = []
    left_out: list[str] = []
    for name, found in candidates.items():
        fitting = []
        for one in found:
            why = _why_not(one, fingerprint, limit, division)
            if why is None:
                fitting.append(one)
            else:
                left_out.append(f"{one.name}, {_seeds(one)}: {why}")
        best = max(fitting, key=lambda one: (len(one.runs), max(run.started for run in one.runs)), default=None)
        if best is not None and best not in picked:
            picked.append(best)
            left_out += [
                f"{one.name}, {_seeds(one)}: {best.name}, {_seeds(best)} stands for {name}"
                for one in fitting
                if one is not best
            ]
        elif best is None and names:
            raise UsageError(
                f"no run of '{name}' can be compared with {against}: {'; '.join(left_out) or 'there is none'}"
            )
    if not any(_is(one, against) for one in picked):
        raise UsageError(f"no run of '{against}' is on the images of the others; `pneumobench run {against}` makes one")
    if len(picked) < 2:
        raise UsageError(
            f"{against} alone was scored on these images; run another plugin, such as `pneumobench run residual`"
        )
    return picked, list(dict.fromkeys(left_out))


def _named(name: str, runs: Sequence[TrackedRun], every: Sequence[Experiment]) -> list[Experiment]:
    """The experiments of a plugin, or the one that a run id names."""
    found = [one for one in every if one.plugin == name]
    return found or experiments(chosen(runs, [name]))


def _is(one: Experiment, name: str) -> bool:
    return one.plugin == name or any(name in (run.run_id, run.parent) for run in one.runs)


def _commonest(candidates: dict[str, list[Experiment]], fingerprint: str, limit: str | None) -> str:
    """The division into training and validation that most plugins were trained on."""
    counted = Counter(
        digest
        for found in candidates.values()
        for digest in {
            one.tags["split_digest"]
            for one in found
            if one.opened_test and (one.tags["fingerprint"], one.tags.get("limit")) == (fingerprint, limit)
        }
    )
    return counted.most_common(1)[0][0] if counted else ""


def _why_not(one: Experiment, fingerprint: str, limit: str | None, division: str) -> str | None:
    if one.tags.get("limit") != limit:
        return f"--limit {one.tags['limit']}" if "limit" in one.tags else "on all images, the reference is not"
    if one.tags["fingerprint"] != fingerprint:
        return f"on other images ({one.tags['dataset']} {one.tags['fingerprint'][:8]})"
    if not one.opened_test:
        return "its test images stayed closed"
    if one.tags["split_digest"] != division:
        return "trained on another division of the images"
    return None


def _label(one: Experiment, picked: Sequence[Experiment]) -> str:
    """The plugin's name, or with what was set where two are of one plugin."""
    same = [other for other in picked if other.plugin == one.plugin]
    if len(same) == 1:
        return one.plugin
    alike = [other for other in same if other.name == one.name]
    return one.name if len(alike) == 1 else f"{one.name} {one.runs[0].run_id[:8]}"


def _seeds(one: Experiment) -> str:
    return f"{len(one.runs)} seed{'s' if len(one.runs) > 1 else ''}"


def _differs(one: Experiment) -> dict[str, str]:
    """In which fields the plugin differs from the baseline as they are now; empty where it is not to be had."""
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
    published = evaluation.published().value
    return (sum(one < published for one in accuracies), len(accuracies)) if len(accuracies) > 1 else None
