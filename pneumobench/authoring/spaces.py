"""A plugin's search space, sampled without a study, for `plugins show` and the contract suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pneumobench.authoring.knobs import call, resolve
from pneumobench.authoring.recipe import Hook, Plugin
from pneumobench.errors import PluginError


@dataclass(frozen=True)
class Range:
    """The values that a parameter may take: `choices`, or numbers from `low` to `high`."""

    choices: tuple[Any, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False

    def __str__(self) -> str:
        """As text: "0.1 to 0.6", "0.0001 to 0.01 (log)", "one of a, b"."""
        if self.choices is not None:
            return f"one of {', '.join(map(str, self.choices))}"
        step = f", in steps of {self.step:g}" if self.step not in (None, 1) else ""
        return f"{self.low:g} to {self.high:g}{step}{' (log)' if self.log else ''}"


class RandomTrial:
    """A substitute for an Optuna trial that samples at random; `ranges` holds the ranges, `params` the values."""

    def __init__(self, seed: int = 0):
        import numpy as np

        self._rng = np.random.default_rng(seed)
        self.params: dict[str, Any] = {}
        self.ranges: dict[str, Range] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return self._once(name, Range(tuple(choices)), lambda: choices[int(self._rng.integers(len(choices)))])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """An integer from low to high, both included."""
        values = range(low, high + 1, step)
        requested = Range(low=low, high=high, step=step, log=log)
        if log:
            return self._once(name, requested, lambda: min(high, round(self._between(low, high, log))))
        return self._once(name, requested, lambda: values[int(self._rng.integers(len(values)))])

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number from low to high."""
        requested = Range(low=low, high=high, step=step, log=log)
        if step is None:
            return self._once(name, requested, lambda: self._between(low, high, log))
        count = int((high - low) / step + 1e-9) + 1
        return self._once(name, requested, lambda: low + step * int(self._rng.integers(count)))

    def _between(self, low: float, high: float, log: bool) -> float:
        import numpy as np

        return (
            float(np.exp(self._rng.uniform(np.log(low), np.log(high)))) if log else float(self._rng.uniform(low, high))
        )

    def _once(self, name: str, requested: Range, draw: Any) -> Any:
        if name not in self.params:
            self.ranges[name], self.params[name] = requested, draw()
        return self.params[name]


def ask(space: Hook, trial: Any, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The knob values that a space returns for a trial. Raises: PluginError if that is not a dict."""
    values = call(space, trial, knobs=knobs)
    if not isinstance(values, dict):
        raise PluginError(f"`space` returns a {type(values).__name__}; it must be a dict of knobs")
    return values


def sample(plugin: Plugin, seed: int = 0) -> tuple[dict[str, Any], dict[str, Range]]:
    """One random sample of a plugin's space: the knobs' values, and the range of each.

    Both are empty if the plugin has no space. Raises: PluginError if `space` does not return a dict.
    """
    if plugin.space is None:
        return {}, {}
    trial = RandomTrial(seed)
    return ask(plugin.space, trial, resolve(plugin, {})), trial.ranges
