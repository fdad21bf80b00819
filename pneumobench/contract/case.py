"""The plugin under test, whose parts are built on first use; and how a clause becomes a verdict."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.components import components, views
from pneumobench.authoring.knobs import hooks, resolve
from pneumobench.authoring.recipe import Plugin, Recipe, View
from pneumobench.data import split
from pneumobench.data.layouts import phantom
from pneumobench.data.layouts.phantom import Phantom
from pneumobench.data.load import load_folder
from pneumobench.data.subset import Development
from pneumobench.errors import PluginError, one_line
from pneumobench.training import backend, network, trainer
from pneumobench.training.predictor import Predictor

TINY = Phantom(train=(10, 18), test=(2, 2), size=64)
SEED = 0


class ContractError(PluginError):
    """A clause is broken; the message says how."""


class NotApplicableError(Exception):
    """The clause does not apply to the plugin; the message says why."""


class Case:
    """A plugin under test: trained twice with the same seed on a tiny phantom, with the knobs of its `check`."""

    def __init__(self, name: str):
        self.name = name
        self.entry = registry.find(name)
        self.plugin: Plugin = registry.load(name)

    @cached_property
    def knobs(self) -> dict[str, Any]:
        """All knobs, with those of `check` set."""
        return resolve(self.plugin, self.plugin.check)

    @cached_property
    def views(self) -> list[View]:
        """The image shape that it takes, or those of its members."""
        return views(self.plugin, self.knobs)

    @cached_property
    def development(self) -> Development:
        """A few training and validation images; no test image is read."""
        return split.split(load_folder(phantom.ensure(TINY)))[0]

    @cached_property
    def untrained(self) -> Any:
        """A recipe's network before training."""
        assert isinstance(self.plugin, Recipe)
        backend.keras().utils.set_random_seed(SEED)
        return network.build(self.plugin, self.views[0], self.knobs, "float32", self.name)[0]

    @property
    def trained(self) -> Predictor:
        """Trained for one epoch in each phase; if training failed, its error is raised again at every access."""
        trained = self._trained
        if isinstance(trained, Exception):
            raise trained
        return trained

    @cached_property
    def _trained(self) -> Predictor | Exception:
        try:
            return self.train()
        except Exception as error:
            return error

    @cached_property
    def epochs(self) -> int | None:
        """One for each phase (in an ensemble, of the member with the most phases); None for an estimator."""
        counts = [
            len(network.plan(part.plugin, part.view, part.knobs, None, part.name))
            for part in components(self.plugin, self.knobs, self.name)
            if isinstance(part.plugin, Recipe)
        ]
        return max(counts, default=None)

    def train(self) -> Predictor:
        """Train anew, always with the same seed."""
        with backend.eagerly():
            return trainer.train(
                self.plugin,
                self.development,
                self.knobs,
                seed=SEED,
                epochs=self.epochs,
                precision="float32",
                name=self.name,
                module=self.entry.module,
            )

    def where(self, hook: str, error: BaseException) -> str:
        """ "file:line" of the plugin's code in the error's traceback, else of the hook's definition."""
        functions = hooks(self.plugin) | {
            name: getattr(self.plugin, name)
            for name in ("build", "resample", "weigh")
            if inspect.isfunction(getattr(self.plugin, name, None))
        }
        files = {inspect.getsourcefile(function): function for function in functions.values()}
        if self.entry.path:
            files.setdefault(str(self.entry.path), None)
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename in files:
                return f"{Path(frame.filename).name}:{frame.lineno}"
        function = functions.get(hook)
        if function is None:
            return self.entry.path.name if self.entry.path else self.entry.module
        return f"{Path(inspect.getsourcefile(function) or '').name}:{inspect.getsourcelines(function)[1]}"


@dataclass(frozen=True)
class Verdict:
    """Whether a clause holds (None: it does not apply), and if not, why and where."""

    clause: str
    held: bool | None
    why: str = ""
    where: str = ""

    @property
    def broken(self) -> bool:
        """Whether the plugin breaks this clause."""
        return self.held is False


@dataclass(frozen=True)
class Clause:
    """One rule of the contract; `examine` raises ContractError, or any other exception, if it is broken."""

    rule: str
    hook: str  # whose line to report when the traceback holds no line of the plugin
    examine: Callable[[Case], None]

    def judge(self, case: Case) -> Verdict:
        """The verdict on a plugin."""
        try:
            self.examine(case)
        except NotApplicableError as reason:
            return Verdict(self.rule, None, str(reason))
        except Exception as error:
            return Verdict(self.rule, False, one_line(error, with_notes=False), case.where(self.hook, error))
        return Verdict(self.rule, True)

    def __str__(self) -> str:
        return self.rule
