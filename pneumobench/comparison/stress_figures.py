"""Figures of predictions for altered images, by kind of alteration, and what is said of those without lungs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pneumobench.evaluation import estimates, metrics
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import figure, number
from pneumobench.training import alterations

CLEAN = "as it is"
Said = Mapping[str, Sequence[Predictions]]  # by alteration, each training's predictions
WITHOUT_LUNGS = {
    "centre hidden": "with the lungs blacked out",
    "border alone": "from the border alone",
    "histogram alone": "from shuffled pixels",
}


def name_of(kind: str, severity: int) -> str:
    """An alteration's name: "defocus 2", "centre hidden"."""
    return f"{kind} {severity}" if severity else kind


def of_kind(kind: str) -> list[str]:
    """The names of a corruption's three severities."""
    return [name_of(kind, severity) for severity in alterations.SEVERITIES]


def auroc(model: Predictions) -> float:
    """A model's AUROC, as a number."""
    return float(metrics.auroc(model.label, model.probability, metrics.whole(len(model)))[0])


def areas(said: Said) -> dict[str, float]:
    """AUROC by alteration, the mean over trainings."""
    return {name: float(np.mean([auroc(model) for model in own])) for name, own in said.items()}


def by_kind(figures: Mapping[str, float]) -> dict[str, float]:
    """The mean over its severities of each corruption's figure."""
    return {kind: float(np.mean([figures[name] for name in of_kind(kind)])) for kind in alterations.CORRUPTIONS}


def controls(said: Said) -> dict[str, Estimate]:
    """The AUROC of each control, with its interval."""
    return {name: estimates.evaluate(said[name], only=("auroc",))["auroc"] for name in alterations.CONTROLS}


def grey_alone(pixels: np.ndarray, labels: np.ndarray) -> float:
    """The AUROC of the mean grey value of images (n, height, width), in whichever direction is above .5."""
    mean = pixels.reshape(len(pixels), -1).mean(1)
    area = float(metrics.auroc(labels, mean, metrics.whole(len(labels)))[0])
    return max(area, 1 - area)


def without_lungs(name: str, figures: Mapping[str, Estimate], floors: Mapping[str, float]) -> list[str]:
    """A sentence for each control on which a model still ranks images, with the floor that it should meet.

    That is .5 for what says nothing of the class; `floors` is what the mean grey value alone scores, where known.
    """
    lines = []
    for control, estimate in figures.items():
        if not estimate.low > 0.5:
            continue
        floor = floors.get(control)
        if control in WITHOUT_LUNGS:
            line = (
                f"{name} keeps AUROC {figure(estimate)} {WITHOUT_LUNGS[control]}, where no lung can be read: a model "
                f"that reads lungs would fall to {number(0.5)}"
            )
            line += f"; the mean grey value of what is left scores {number(floor)}" if floor is not None else ""
        else:
            line = f"{name} keeps AUROC {figure(estimate)} from 16 grey values, which still show large opacities"
            line += f"; their mean alone scores {number(floor)}" if floor is not None else ""
        lines.append(line)
    return lines


FLOORS = (
    "The floor of a control is .500 where what it leaves says nothing of the class. What the mean grey value of the "
    "same altered images scores, in its better direction, was measured in the same look: so much any model can read"
)
