"""What a study's author writes: which plugins, how long a trial trains, what is searched, and what counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pneumobench.authoring.recipe import Hook, Plugin
from pneumobench.errors import UsageError, unknown

Metric = Literal["val_auroc", "val_log_loss", "val_auroc_corrupted"]
DIRECTIONS = {"val_auroc": "maximize", "val_log_loss": "minimize", "val_auroc_corrupted": "maximize"}
SAMPLERS = ("tpe", "random", "grid")
PRUNERS = ("median", "none")


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question put to Optuna; the plugin itself is the first choice of every trial.

    - `plugins`: names from `pneumobench plugins`; or names of one's own for plugins, by name or as values
      (`{"unweighed": replace(plugin, weigh=None)}`).
    - `space(trial, *, plugin) -> {knob: value}`: what is searched; by default each plugin's own space. One that
      gives {} leaves the choice among the plugins.
    - `metric`: "val_auroc", "val_log_loss", or "val_auroc_corrupted", the AUROC on validation images that are
      blurred, compressed and noised.
    - `epochs`: the budget of a trial, shared among a plugin's phases; None leaves each plugin's own.
    - `sampler`: "tpe", "random", "grid" (every combination once), or a function of a seed that gives an Optuna
      sampler.
    - `pruner`: "median" (of the trials of the same plugin), "none", or a function that gives an Optuna pruner.
    - `fixed`: knobs that are not searched, `{"transfer.backbone": "MobileNet"}`.
    """

    plugins: Sequence[str] | Mapping[str, str | Plugin]
    space: Hook | None = None
    metric: str = "val_auroc"
    epochs: int | None = None
    sampler: str | Callable[[int], Any] = "tpe"
    pruner: str | Callable[[], Any] = "median"
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.plugins, str) or not self.plugins:
            raise UsageError(f"a study's plugins are one or more names, such as ('baseline',), not {self.plugins!r}")
        check_metric(self.metric)
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"a study's trials take at least 1 epoch, not {self.epochs}")
        for kind, value, known in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            if not callable(value) and value not in known:
                raise UsageError(f"a study's {kind} is one of {', '.join(known)}, or a function, not {value!r}")


def check_metric(metric: str) -> None:
    """Raises: UsageError for a metric that no study can have."""
    if metric not in DIRECTIONS:
        raise unknown("metric", metric, DIRECTIONS)
