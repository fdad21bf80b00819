"""A study's plots as files: optimization history, importances of the knobs, parallel coordinates."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from pneumobench.search.objectives import value_of
from pneumobench.search.summary import Summary
from pneumobench.search.trials import Trials

DPI = 120


def save_all(folder: Path, trials: Trials, summary: Summary) -> list[Path]:
    """Write `history.png`, for several objectives `pareto.png`, and for each plugin with enough trials its importances
    and parallel coordinates."""
    from pneumobench.utils.drawing import off_screen

    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    if not trials.all(TrialState.COMPLETE):
        return []
    with off_screen():
        return list(_draw_all(folder, trials, summary))


def _draw_all(folder: Path, trials: Trials, summary: Summary) -> Iterator[Path]:
    from optuna.visualization import matplotlib as drawing

    label = summary.metric.replace("_", " ")
    with warnings.catch_warnings(action="ignore"):
        if summary.pareto:
            axes = drawing.plot_pareto_front(trials.study, target_names=trials.metrics)
            yield _save(axes, folder / "pareto.png", f"{trials.name}: no trial beats those in red in all")
        first = _first if summary.others else None  # with a target Optuna draws no line of the best
        axes = drawing.plot_optimization_history(trials.study, target=first, target_name=label)
        yield _save(axes, folder / "history.png", f"{trials.name}: {label} by trial")
        for plugin in summary.importances:
            alone, knobs = trials.of_plugin(plugin)
            axes = drawing.plot_param_importances(alone, params=knobs, target_name=label)
            yield _save(axes, folder / f"importances_{plugin}.png", f"{plugin}: importance of its knobs")
            axes = drawing.plot_parallel_coordinate(alone, params=knobs, target_name=label)
            for lines in axes.collections:
                lines.set_cmap("viridis")  # Optuna's colormap draws the worst trial in white
            yield _save(axes, folder / f"parallel_{plugin}.png", f"{plugin}: {label} and its knobs")


def _first(trial: FrozenTrial) -> float:
    return value_of(trial) or 0.0


def _save(axes: Any, path: Path, title: str) -> Path:
    from matplotlib import pyplot

    axes.set_title(title)
    figure = axes.figure
    figure.set_size_inches(9, 5)
    figure.savefig(path, dpi=DPI, bbox_inches="tight")
    pyplot.close(figure)
    return path
