"""Honest comparison of models that read chest X-rays: what plugin authors write, and the verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pneumobench.authoring.recipe import Ensemble, Estimator, Phase, Plugin, Recipe, View, adamw, balanced, one_phase
from pneumobench.authoring.study import Study

if TYPE_CHECKING:
    from pneumobench.experiment.run import run
    from pneumobench.search.run import study

__all__ = [
    "Ensemble",
    "Estimator",
    "Phase",
    "Plugin",
    "Recipe",
    "Study",
    "View",
    "adamw",
    "balanced",
    "one_phase",
    "run",
    "study",
]

# imported when first asked for: they cost more than milliseconds
_VERBS = {"run": "pneumobench.experiment.run", "study": "pneumobench.search.run"}


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        from importlib import import_module

        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'pneumobench' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
