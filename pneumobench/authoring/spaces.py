"""A plugin's search space, sampled without a study, for `plugins show` and the contract suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pneumobench.authoring.knobs import call, resolve
from pneumobench.authoring.recipe import Hook, Plugin
from pneumobench.errors import PluginError

DRAWS, MOST = 32, 400  # random draws of a space, and draws in all


@dataclass(frozen=True)
class Range:
    """The values that a parameter may take: `choices`, or numbers from `low` to `high`."""

    choices: tuple[Any, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False
    integer: bool = False

    def check(self, name: str) -> None:
        """Raises: PluginError for a range that nothing can be drawn from, or choices that a storage cannot hold."""
        if self.choices is None:
            if (
                not self.low <= self.high
                or (self.log and not self.low > 0)
                or (self.step is not None and self.step <= 0)
            ):
                raise PluginError(
                    f"`space` draws '{name}' from {self}; a range goes up in steps above 0, a log one from above 0"
                )
            return
        strange = [c for c in self.choices if not (c is None or isinstance(c, bool | int | float | str))]
        if strange or not self.choices:
            given = repr(strange[0]) if strange else "none"
            raise PluginError(
                f"`space` gives '{name}' the choice {given}; choices are text, numbers, booleans or None, "
                "which a storage holds: suggest a name, and look up what it stands for"
            )

    def conflict(self, other: Range) -> bool:
        """Whether Optuna refuses both for one parameter: other choices, kind, or scale; bounds may differ."""
        if self.choices is not None or other.choices is not None:
            return self.choices != other.choices
        return (self.log, self.integer) != (other.log, other.integer)

    def __str__(self) -> str:
        """As text: "0.1 to 0.6", "0.0001 to 0.01 (log)", "one of a, b"."""
        if self.choices is not None:
            return f"one of {', '.join(map(str, self.choices))}"
        step = f", in steps of {self.step:g}" if self.step not in (None, 1) else ""
        return f"{self.low:g} to {self.high:g}{step}{' (log)' if self.log else ''}"


class RandomTrial:
    """A substitute for an Optuna trial that samples at random; `ranges` holds the ranges, `params` the values."""

    def __init__(self, seed: int = 0, fixed: Mapping[str, Any] | None = None):
        import numpy as np

        self._rng = np.random.default_rng(seed)
        self._fixed = dict(fixed or {})
        self.number = seed
        self.params: dict[str, Any] = {}
        self.ranges: dict[str, Range] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return self._once(name, Range(tuple(choices)), lambda: choices[int(self._rng.integers(len(choices)))])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """An integer from low to high, both included."""
        requested = Range(low=low, high=high, step=step, log=log, integer=True)
        if log:
            return self._once(name, requested, lambda: min(high, round(self._between(low, high, log))))
        return self._once(name, requested, lambda: low + step * int(self._rng.integers((high - low) // step + 1)))

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
        requested.check(name)
        agree(name, self.ranges.setdefault(name, requested), requested)
        if name not in self.params:
            is_choice = requested.choices is not None and self._fixed.get(name, self) in requested.choices
            self.params[name] = self._fixed[name] if is_choice else draw()
        return self.params[name]


def agree(name: str, one: Range, other: Range) -> None:
    """Raises: PluginError where a parameter has two ranges that a study cannot hold under one name."""
    if one.conflict(other):
        kinds = [
            f"{each} ({'whole numbers' if each.integer else 'numbers'})" if each.choices is None else str(each)
            for each in (one, other)
        ]
        raise PluginError(
            f"`space` gives '{name}' {kinds[0]} in one draw and {kinds[1]} in another; a study holds one kind for each "
            f"name: suggest another name for each case, such as '{name}_2'"
        )


def explore(draw: Callable[[RandomTrial], Any]) -> dict[str, Range]:
    """Every parameter that a space suggests, from random draws and from draws with each choice that these revealed.

    Raises: PluginError for ranges that one study cannot hold; what `draw` raises.
    """
    ranges: dict[str, Range] = {}
    waiting: list[dict[str, Any]] = [{}] * DRAWS
    seen: set[tuple[str, Any]] = set()
    for seed in range(MOST):
        if not waiting:
            break
        trial = RandomTrial(seed, waiting.pop())
        draw(trial)
        for name, drawn_from in trial.ranges.items():
            agree(name, ranges.setdefault(name, drawn_from), drawn_from)
            for choice in drawn_from.choices or ():
                if (name, choice) not in seen:
                    seen.add((name, choice))
                    waiting.append({**trial.params, name: choice})
    return ranges


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


def check(plugin: Plugin) -> dict[str, Range]:
    """Every parameter of a plugin's space. Raises: PluginError or UsageError for what a study could not draw."""
    if plugin.space is None:
        return {}
    space, defaults = plugin.space, resolve(plugin, {})

    def draw(trial: RandomTrial) -> None:
        resolve(plugin, ask(space, trial, defaults))

    return explore(draw)
