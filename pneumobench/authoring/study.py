"""What a study's author writes: plugins, budget of a trial, search space, and metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pneumobench.authoring.recipe import Hook, Plugin
from pneumobench.errors import UsageError, unknown

Metric = Literal["val_auroc", "val_log_loss", "val_auroc_corrupted"]
DIRECTIONS = {"val_auroc": "maximize", "val_log_loss": "minimize", "val_auroc_corrupted": "maximize"}
SECONDS = "seconds"  # of training, as an objective beside a metric
SAMPLERS = ("tpe", "random", "grid")
PRUNERS = ("median", "none")


@dataclass(frozen=True, kw_only=True)
class Study:
    """A hyperparameter search by Optuna; the plugin is the first categorical parameter of every trial.

    - `plugins`: names from `pneumobench plugins`; or a dict from the study's own names to plugins, by name or
      as values (`{"unweighed": replace(plugin, weigh=None)}`).
    - `space(trial, *, plugin) -> {knob: value}`: the search space; by default each plugin's own. One that
      returns {} searches over the plugins only.
    - `metric`: "val_auroc", "val_log_loss", or "val_auroc_corrupted", the AUROC on validation images with
      added blur, JPEG compression and noise.
    - `metrics`: several objectives, two or three of the metrics and "seconds" of training, such as ("val_auroc",
      "seconds"); the first one ranks the trials, and no trial is pruned.
    - `epochs`: the budget of a trial, divided among a plugin's phases; None keeps each plugin's own.
    - `sampler`: "tpe", "random", "grid" (every combination once), or a function of a seed that returns an Optuna
      sampler.
    - `pruner`: "median" (of the trials of the same plugin), "none", or a function that returns an Optuna pruner.
    - `fixed`: values of knobs that are not searched, `{"transfer.backbone": "MobileNet"}`.
    """

    plugins: Sequence[str] | Mapping[str, str | Plugin]
    space: Hook | None = None
    metric: str = "val_auroc"
    metrics: Sequence[str] = ()
    epochs: int | None = None
    sampler: str | Callable[[int], Any] = "tpe"
    pruner: str | Callable[[], Any] = "median"
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.plugins, str) or not self.plugins:
            raise UsageError(f"a study's plugins are one or more names, such as ('baseline',), not {self.plugins!r}")
        check_metric(self.metric)
        check_metrics(self.metrics)
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"a study's trials take at least 1 epoch, not {self.epochs}")
        for kind, value, known in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            if not callable(value) and value not in known:
                raise UsageError(f"a study's {kind} is one of {', '.join(known)}, or a function, not {value!r}")


def check_metric(metric: str) -> None:
    """Raises: UsageError for an unknown metric."""
    if metric not in DIRECTIONS:
        raise unknown("metric", metric, DIRECTIONS)


def check_metrics(metrics: Sequence[str]) -> None:
    """Raises: UsageError for objectives that are not two or three different ones, a metric first."""
    if not metrics:
        return
    if isinstance(metrics, str) or not 2 <= len(metrics) <= 3 or len(set(metrics)) < len(metrics):
        raise UsageError(
            f"a study's metrics are two or three different ones, ('val_auroc', 'seconds'), not {metrics!r}"
        )
    check_metric(metrics[0])
    for metric in metrics[1:]:
        if metric not in (*DIRECTIONS, SECONDS):
            raise unknown("metric", metric, (*DIRECTIONS, SECONDS))


def direction(metric: str) -> str:
    """ "maximize" or "minimize"."""
    return DIRECTIONS.get(metric, "minimize")
