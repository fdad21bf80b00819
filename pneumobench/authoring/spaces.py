"""A plugin's search space, sampled without a study: what `plugins show` prints and the contract checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pneumobench.authoring.knobs import call, resolve
from pneumobench.authoring.recipe import Hook, Plugin
from pneumobench.errors import PluginError


@dataclass(frozen=True)
class Range:
    """What a parameter may be: `choices`, or numbers from `low` to `high`."""

    choices: tuple[Any, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False

    def __str__(self) -> str:
        """In words: "0.1 to 0.6", "0.0001 to 0.01 (log)", "one of a, b"."""
        if self.choices is not None:
            return f"one of {', '.join(map(str, self.choices))}"
        step = f", in steps of {self.step:g}" if self.step not in (None, 1) else ""
        return f"{self.low:g} to {self.high:g}{step}{' (log)' if self.log else ''}"


class RandomTrial:
    """A trial as a space sees it, with random suggestions; `ranges` holds what was asked for, `params` the answers."""

    def __init__(self, seed: int = 0):
        import numpy as np

        self._rng = np.random.default_rng(seed)
        self.params: dict[str, Any] = {}
        self.ranges: dict[str, Range] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return self._once(name, Range(tuple(choices)), lambda: choices[int(self._rng.integers(len(choices)))])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """A whole number from low to high, both included."""
        values = range(low, high + 1, step)
        drawn = Range(low=low, high=high, step=step, log=log)
        if log:
            return self._once(name, drawn, lambda: min(high, round(self._between(low, high, log))))
        return self._once(name, drawn, lambda: values[int(self._rng.integers(len(values)))])

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number from low to high."""
        drawn = Range(low=low, high=high, step=step, log=log)
        if step is None:
            return self._once(name, drawn, lambda: self._between(low, high, log))
        count = int((high - low) / step + 1e-9) + 1
        return self._once(name, drawn, lambda: low + step * int(self._rng.integers(count)))

    def _between(self, low: float, high: float, log: bool) -> float:
        import numpy as np

        return (
            float(np.exp(self._rng.uniform(np.log(low), np.log(high)))) if log else float(self._rng.uniform(low, high))
        )

    def _once(self, name: str, drawn: Range, draw: Any) -> Any:
        if name not in self.params:
            self.ranges[name], self.params[name] = drawn, draw()
        return self.params[name]


def ask(space: Hook, trial: Any, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """What a space gives for a trial. Raises: PluginError where that is no dict."""
    values = call(space, trial, knobs=knobs)
    if not isinstance(values, dict):
        raise PluginError(f"`space` returns a {type(values).__name__}; it must be a dict of knobs")
    return values


def sample(plugin: Plugin, seed: int = 0) -> tuple[dict[str, Any], dict[str, Range]]:
    """One draw from a plugin's space: knobs with their values, and the range that each comes from.

    Both are empty where the plugin has no space. Raises: PluginError where `space` gives no dict.
    """
    if plugin.space is None:
        return {}, {}
    trial = RandomTrial(seed)
    return ask(plugin.space, trial, resolve(plugin, {})), trial.ranges
