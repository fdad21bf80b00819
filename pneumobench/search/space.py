"""Search spaces: a study's, over several plugins, built from each plugin's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pneumobench.authoring.knobs import resolve
from pneumobench.authoring.recipe import Hook, Plugin
from pneumobench.authoring.spaces import ask, explore
from pneumobench.errors import PluginError, UsageError

PLUGIN = "plugin"  # the first parameter of every trial
PROBES = 32  # random draws that reveal a space's parameters; those of rarer branches appear when they are drawn


class PluginTrial:
    """A trial for one plugin's space: parameters are named `plugin.knob`, and fixed knobs are not suggested.

    Without the prefix Optuna would refuse two plugins' knobs with the same name and different ranges.
    """

    def __init__(self, trial: Any, plugin: str, fixed: Mapping[str, Any]):
        self._trial, self._plugin, self._fixed = trial, plugin, fixed

    def suggest_float(self, name: str, low: float, high: float, **how: Any) -> float:
        """Like the method of Optuna's trial."""
        return self._suggest("suggest_float", name, low, high, **how)

    def suggest_int(self, name: str, low: int, high: int, **how: Any) -> int:
        """Like the method of Optuna's trial."""
        return self._suggest("suggest_int", name, low, high, **how)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Like the method of Optuna's trial."""
        return self._suggest("suggest_categorical", name, choices)

    def _suggest(self, method: str, name: str, *arguments: Any, **how: Any) -> Any:
        if name in self._fixed:
            return self._fixed[name]
        return getattr(self._trial, method)(f"{self._plugin}.{name}", *arguments, **how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial, name)


class Space:
    """A study's search space: the plugin, then that plugin's knobs.

    `plugins` are by name; `override`, if given, replaces their spaces; `fixed` holds each plugin's knobs that are
    not searched.
    """

    def __init__(self, plugins: Mapping[str, Plugin], override: Hook | None, fixed: Mapping[str, Mapping[str, Any]]):
        self._plugins, self._override, self._fixed = plugins, override, fixed

    def draw(self, trial: Any) -> tuple[str, dict[str, Any]]:
        """A plugin's name and the values of all its knobs, as a trial suggests them.

        Raises: PluginError or UsageError where the plugin has no space, or its space returns unknown knobs.
        """
        return self._draw_of(trial.suggest_categorical(PLUGIN, list(self._plugins)), trial)

    def _draw_of(self, name: str, trial: Any) -> tuple[str, dict[str, Any]]:
        plugin, fixed = self._plugins[name], self._fixed.get(name, {})
        space = self._override or plugin.space
        if space is None:
            raise PluginError(f"plugin '{name}' has no space to search; write one, or set the study's `space`")
        values = ask(space, PluginTrial(trial, name, fixed), resolve(plugin, fixed) | {PLUGIN: name})
        return name, resolve(plugin, {**values, **fixed})

    def parameters(self) -> dict[str, str]:
        """Every parameter with its distribution as JSON, as revealed by random draws.

        Raises: what `draw` raises; UsageError where there is nothing to search.
        """
        import optuna

        parameters: dict[str, str] = {}
        for name in self._plugins:
            explore(partial(self._draw_of, name))
            for seed in range(PROBES):
                trial = _random_trial(seed, {PLUGIN: name})
                self.draw(trial)
                parameters |= {k: optuna.distributions.distribution_to_json(d) for k, d in trial.distributions.items()}
        choices = [name for name in parameters if name != PLUGIN]
        if not choices and len(self._plugins) < 2:
            raise UsageError(f"the space of plugin '{next(iter(self._plugins))}' is empty: there is nothing to search")
        return dict(sorted(parameters.items()))

    def combinations(self) -> list[dict[str, Any]]:
        """Every combination of parameters once. Raises: UsageError for a continuous parameter without a step."""
        return list(self._walk([]))

    def _walk(self, chosen: list[Any]) -> Iterator[dict[str, Any]]:
        """All combinations that start with these choices; the space function is called again for each of them."""
        trial = _GridTrial(chosen)
        self.draw(trial)
        if trial.open is None:
            yield trial.params
            return
        for choice in trial.open:
            yield from self._walk([*chosen, choice])


class _GridTrial:
    """A trial whose first suggestions are given; `open` holds the choices of the next parameter."""

    def __init__(self, chosen: list[Any]):
        self._chosen = list(chosen)
        self.params: dict[str, Any] = {}
        self.open: list[Any] | None = None

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self._take(name, list(choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return self._take(name, list(range(low, high + 1, step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if step is None:
            raise UsageError(f"a grid cannot hold '{name}', any number from {low} to {high}; give it a step or choices")
        return self._take(name, [low + i * step for i in range(int((high - low) / step + 1e-9) + 1)])

    def _take(self, name: str, choices: list[Any]) -> Any:
        if name in self.params:
            return self.params[name]
        if self._chosen:
            self.params[name] = self._chosen.pop(0)
            return self.params[name]
        if self.open is None:
            self.open = choices
        return choices[0]


def canonical(params: Mapping[str, Any]) -> str:
    """A text that is equal for equal parameters, whatever their order."""
    return json.dumps(params, sort_keys=True, default=str)


def _random_trial(seed: int, params: Mapping[str, Any] | None = None) -> Any:
    """A trial of an in-memory study, with random suggestions except for these parameters."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    if params:
        study.enqueue_trial(dict(params))
    return study.ask()
