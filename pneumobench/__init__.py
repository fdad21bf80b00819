"""Honest comparison of models that read chest X-rays: what plugin authors write, and the verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pneumobench.authoring.recipe import Ensemble, Estimator, Phase, Plugin, Recipe, View, adamw, balanced, one_phase
from pneumobench.authoring.study import Study

if TYPE_CHECKING:
    from pneumobench.comparison.external import external
    from pneumobench.comparison.stress import stress
    from pneumobench.comparison.verbs import compare, plan
    from pneumobench.data.options import DataOptions
    from pneumobench.execution.several import run_all
    from pneumobench.experiment.imported import import_predictions
    from pneumobench.experiment.run import run
    from pneumobench.search.run import study
    from pneumobench.training.augmentation import load_albumentations
    from pneumobench.training.backbone import Backbone, pretrained, unfreeze
    from pneumobench.training.options import TrainOptions

__all__ = [
    "Backbone",
    "DataOptions",
    "Ensemble",
    "Estimator",
    "Phase",
    "Plugin",
    "Recipe",
    "Study",
    "TrainOptions",
    "View",
    "adamw",
    "balanced",
    "compare",
    "external",
    "import_predictions",
    "load_albumentations",
    "one_phase",
    "plan",
    "pretrained",
    "run",
    "run_all",
    "stress",
    "study",
    "unfreeze",
]

# imported when first asked for: they cost more than milliseconds
_LATE = {
    "Backbone": "training.backbone",
    "DataOptions": "data.options",
    "TrainOptions": "training.options",
    "compare": "comparison.verbs",
    "external": "comparison.external",
    "import_predictions": "experiment.imported",
    "load_albumentations": "training.augmentation",
    "plan": "comparison.verbs",
    "pretrained": "training.backbone",
    "run": "experiment.run",
    "run_all": "execution.several",
    "stress": "comparison.stress",
    "study": "search.run",
    "unfreeze": "training.backbone",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"pneumobench.{_LATE[name]}"), name)
    raise AttributeError(f"module 'pneumobench' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
