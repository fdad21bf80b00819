"""Where a plugin's figure lies among those of the same plugin trained on permuted labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pneumobench.evaluation.metrics import point_of_probabilities
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import number, p_value
from pneumobench.tracking.runs import Experiment, TrackedRun


def sentences(
    runs: Sequence[TrackedRun], chosen: Mapping[str, Experiment], models: Mapping[str, Sequence[Predictions]]
) -> tuple[str, ...]:
    """For each plugin that was also trained on permuted labels: their AUROCs on the same test images, and its own.

    p is the share of all of them, its own included, that are at least as high (Phipson and Smyth, Stat. Appl. Genet.
    Mol. Biol. 9, 2010).
    """
    lines = []
    for name, one in chosen.items():
        permuted = [run.predictions("test") for run in runs if _is_permuted(run, one)]
        chance = np.array([_auroc(model) for model in permuted if model is not None])
        if len(chance):
            real = float(np.mean([_auroc(model) for model in models[name]]))
            p = (1 + int((chance >= real).sum())) / (1 + len(chance))
            least, most, mean = (number(float(value)) for value in (chance.min(), chance.max(), chance.mean()))
            lines.append(
                f"{name}: test AUROC {number(real)}; of {len(chance)} trainings on permuted labels {least} to {most}, "
                f"mean {mean}, of which {int((chance >= real).sum())} are as high (p {p_value(p)})"
            )
    return tuple(lines)


def _is_permuted(run: TrackedRun, one: Experiment) -> bool:
    """Whether a run is the same plugin with the same knobs on the same images, but for the permuted labels."""
    first = one.runs[0]
    same = all(run.tags.get(name) == first.tags.get(name) for name in ("plugin", "fingerprint", "limit", "folds"))
    return "permuted" in run.tags and run.looks is not None and same and run.params == first.params


def _auroc(model: Predictions) -> float:
    return point_of_probabilities(model.label, model.probability)["auroc"]
