"""A plugin's search space, asked as Optuna asks it."""

from __future__ import annotations

from typing import Any

from pneumobench.errors import PluginError
from pneumobench.knobs import call, resolve
from pneumobench.recipe import Plugin


def sample(plugin: Plugin, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """One draw from a plugin's space: knobs with their values, and the distribution that each comes from.

    Both are empty where the plugin has no space. Raises: PluginError where `space` gives no dict.
    """
    if plugin.space is None:
        return {}, {}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
    values = call(plugin.space, trial, knobs=resolve(plugin, {}))
    if not isinstance(values, dict):
        raise PluginError(f"`space` returns a {type(values).__name__}; it must be a dict of knobs")
    return values, trial.distributions
