"""Which part of `residual` matters: class weights, augmentation, label smoothing, weight decay or dropout?

A grid with each part on and off, 32 trials in total, every other knob at its default. The best of 32 looks better on
validation by chance alone; the question is which part makes a difference on average.
Duration: five epochs a trial, two to three minutes on two cores with AVX2 only.

    pneumobench study ablation --trials 32
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pneumobench import Study
from pneumobench.plugins.residual import plugin as residual

PLUGINS = {
    "all": residual,
    "unweighed": replace(residual, weigh=None),
    "unvaried": replace(residual, augment=None, defaults={}),
    "unweighed_unvaried": replace(residual, weigh=None, augment=None, defaults={}),
}
OFF = {"smoothing": 0.0, "weight_decay": 0.0, "dropout": 0.0}


def space(trial: Any, *, smoothing: float, weight_decay: float, dropout: float) -> dict[str, Any]:
    """Each of these knobs at its default (the argument) or off."""
    on = {"smoothing": smoothing, "weight_decay": weight_decay, "dropout": dropout}
    return {name: trial.suggest_categorical(name, [off, on[name]]) for name, off in OFF.items()}


study = Study(plugins=PLUGINS, space=space, epochs=5, sampler="grid", pruner="none")
