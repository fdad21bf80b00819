"""What is asked for: a plugin by name with some of its knobs, perhaps as a study's file defines it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.discovery import Entry
from pneumobench.authoring.knobs import knobs_of
from pneumobench.authoring.recipe import Plugin
from pneumobench.errors import UsageError
from pneumobench.experiment.study_origin import Origin
from pneumobench.training.options import TrainOptions


@dataclass(frozen=True)
class Request:
    """A plugin to train, and the knobs that differ from their defaults.

    `study` is the study whose file lists the plugin; `origin` the one whose search selected the knobs. `train` are
    training options of its own, such as those of an ensemble's member.
    """

    plugin: str
    knobs: Mapping[str, Any] = field(default_factory=dict)
    study: str | None = None
    origin: Origin | None = None
    train: TrainOptions | None = None

    def load(self) -> tuple[Entry, Plugin]:
        """The entry of the plugin's file, and the plugin. Raises: UsageError or PluginError where there is none."""
        if self.study is None:
            return registry.find(self.plugin), registry.load(self.plugin)
        return registry.plugin_in(self.study, self.plugin)


def requested(
    plugins: Sequence[str], assigned: Mapping[str, Any], *, everything: bool = False, study: str | None = None
) -> list[Request]:
    """The requests of a command: plugins by name, every plugin, or those of a study's file with the knobs it fixes.

    Knobs are `assigned` by name to a single plugin, and as `plugin.knob` to one of several.
    Raises: UsageError for a name that is no plugin, or an assignment to none of them.
    """
    if everything + (study is not None) + bool(plugins) != 1:
        raise UsageError("run takes plugins by name, --all, or --plugins-from STUDY: one of the three")
    if study is not None:
        study = Path(study).stem if study.endswith(".py") else study
    chosen = list(registry.listed_in(study)) if study else list(registry.entries()) if everything else list(plugins)
    for name, count in Counter(chosen).items():
        if count > 1:
            raise UsageError(f"'{name}' is named {count} times; --seeds trains a plugin repeatedly")
    knobs: dict[str, dict[str, Any]] = {name: {} for name in chosen}
    for key, value in (registry.load_study(study).fixed if study else {}).items():
        name, _, knob = key.partition(".")
        if name in knobs:
            knobs[name][knob] = value
    for key, value in assigned.items():
        owner = next((one for one in chosen if key.startswith(f"{one}.")), None)
        if owner is not None and (len(chosen) > 1 or key not in knobs_of(Request(owner, study=study).load()[1])):
            knobs[owner][key.removeprefix(f"{owner}.")] = value
        elif len(chosen) == 1:
            knobs[chosen[0]][key] = value
        else:
            raise UsageError(f"--set takes PLUGIN.KNOB=VALUE with one of {', '.join(chosen)}, not '{key}'")
    return [Request(name, knobs[name], study=study) for name in chosen]
