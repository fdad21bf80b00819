"""Tracked experiments with every figure computed again from their stored predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pneumobench.evaluation import estimates
from pneumobench.evaluation.estimates import Estimate
from pneumobench.tracking.runs import Experiment


@dataclass(frozen=True)
class Scored:
    """An experiment with its figures on validation ({} where there are none) and, where opened, on the test images."""

    experiment: Experiment
    validation: dict[str, Estimate]
    test: dict[str, Estimate] | None

    def __json__(self) -> dict[str, Any]:
        one = self.experiment
        return {
            "plugin": one.plugin,
            "name": one.name,
            "run_ids": [run.run_id for run in one.runs],
            "seeds": [run.seed for run in one.runs],
            "dataset": one.tags["dataset"],
            "fingerprint": one.tags["fingerprint"],
            "split": one.tags["split"],
            "split_seed": int(one.tags["split_seed"]),
            "operating_point": one.tags["operating_point"],
            "folds": int(one.tags.get("folds", 0)) or None,
            "limit": int(one.tags.get("limit", 0)) or None,
            "knobs": dict(one.runs[0].params),
            "thresholds": [run.metrics["threshold"] for run in one.runs],
            "training_seconds": one.seconds,
            "looks": [run.looks for run in one.runs],
            "validation": self.validation,
            "test": self.test,
            "commands": sorted({run.tags["command"] for run in one.runs}),
        }


def score(experiments: Sequence[Experiment]) -> list[Scored]:
    """The experiments with their figures, in the same order."""
    return [
        Scored(
            one,
            estimates.evaluate_validation({"": one.predictions("validation")})[""] if one.has_validation else {},
            estimates.evaluate(one.predictions("test")) if one.opened_test else None,
        )
        for one in experiments
    ]


def by_images(scored: Sequence[Scored]) -> list[tuple[str, list[Scored]]]:
    """Those on one set of images together, under its name: figures on different images share no table."""
    groups: dict[tuple[str, str], list[Scored]] = {}
    for one in scored:
        tags = one.experiment.tags
        groups.setdefault((tags["fingerprint"], tags.get("limit", "")), []).append(one)
    return [
        (f"{group[0].experiment.tags['dataset']} {fingerprint[:8]}", group)
        for (fingerprint, _), group in groups.items()
    ]
