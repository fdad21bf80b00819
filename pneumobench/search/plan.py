"""A study resolved for a search: its plugins, its space, and the settings that cannot change on resuming."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from pneumobench.authoring import registry
from pneumobench.authoring.components import views
from pneumobench.authoring.digest import digest
from pneumobench.authoring.discovery import Entry
from pneumobench.authoring.knobs import knobs_of, resolve
from pneumobench.authoring.recipe import Plugin, View
from pneumobench.authoring.study import Study, check_metric
from pneumobench.data.prepare import Prepared
from pneumobench.errors import UsageError
from pneumobench.search.space import Space
from pneumobench.training import trainer
from pneumobench.training.options import TrainOptions


@dataclass(frozen=True)
class Plan:
    """A study's plugins with their entries, its fixed knobs by plugin, its objectives, and how each trial is trained.

    `metric` ranks the trials; `others` are the objectives besides. Each trial is trained `repeats` times.
    """

    study: Study
    plugins: Mapping[str, tuple[Entry, Plugin]]
    fixed: Mapping[str, Mapping[str, Any]]
    metric: str
    train: TrainOptions
    repeats: int = 1
    others: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The objectives: the metric, and what the study asks for besides."""
        return self.metric, *self.others

    @property
    def seeds(self) -> range:
        """The seeds with which each trial is trained, `repeats` times."""
        return range(self.train.seed, self.train.seed + self.repeats)

    @property
    def prunes(self) -> bool:
        """Whether trials may be stopped early; Optuna can do that for one objective alone."""
        return self.study.pruner != "none" and len(self.metrics) == 1

    @cached_property
    def space(self) -> Space:
        """The search space."""
        return Space({name: plugin for name, (_, plugin) in self.plugins.items()}, self.study.space, self.fixed)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Every parameter with its distribution as JSON."""
        return self.space.parameters()

    @cached_property
    def combinations(self) -> list[dict[str, Any]] | None:
        """Every combination of a grid, in an order shuffled by the seed; None where the study is not a grid."""
        if self.study.sampler != "grid":
            return None
        combinations = self.space.combinations()
        order = np.random.default_rng(self.train.seed).permutation(len(combinations))
        return [combinations[i] for i in order]

    def epochs_of(self, plugin: str) -> int | None:
        """The epochs of a plugin's trial; None for an estimator, which has none."""
        return self.train.epochs if self.plugins[plugin][1].has_epochs else None

    def views(self) -> list[View]:
        """The image shapes that the plugins take unless a trial chooses another."""
        every = [
            view
            for name, (_, plugin) in self.plugins.items()
            for view in views(plugin, resolve(plugin, self.fixed[name]))
        ]
        return list(dict.fromkeys(every))

    def identity(self, images: Prepared) -> dict[str, Any]:
        """The settings that must stay the same when a study is resumed, by readable names."""
        several: dict[str, Any] = {} if len(self.metrics) == 1 else {"metrics": ", ".join(self.metrics)}
        several |= {} if self.repeats == 1 else {"repeats": self.repeats}
        return several | {
            "dataset fingerprint": images.dataset.fingerprint,
            "split": f"{images.options.split}, seed {images.options.split_seed}",
            "division": images.development.digest,
            "limit": images.options.limit,
            "metric": self.metric,
            "epochs": self.train.epochs,
            "seed": self.train.seed,
            "precision": self.train.precision,
            "sampler": str(self.study.sampler) if isinstance(self.study.sampler, str) else "its own",
            "fixed knobs": json.dumps(self.fixed, sort_keys=True, default=str),
            "plugins": ", ".join(
                f"{name} {digest(entry, plugin)[:8]}" for name, (entry, plugin) in self.plugins.items()
            ),
            "space": _digest(self.parameters),
        }


def make_plan(
    name: str,
    *,
    plugins: Iterable[str] = (),
    assigned: Mapping[str, Any] | None = None,
    metric: str | None = None,
    train: TrainOptions | None = None,
    repeats: int = 1,
) -> Plan:
    """A study by name, with the changes of a call: fewer plugins, fixed knobs `plugin.knob`, other metric or epochs.

    Raises: UsageError or PluginError for anything that cannot be searched, before training starts.
    """
    study, available, train = registry.load_study(name), registry.listed_in(name), train or TrainOptions()
    chosen = list(plugins) or list(available)
    searched = {plugin_name: registry.plugin_in(name, plugin_name) for plugin_name in dict.fromkeys(chosen)}
    check_metric(metric or study.metric)
    plan = Plan(
        study=study,
        plugins=searched,
        fixed=_fixed({**study.fixed, **(assigned or {})}, searched, available, train.epochs or study.epochs),
        metric=metric or next(iter(study.metrics), study.metric),
        repeats=repeats,
        others=() if metric else tuple(study.metrics[1:]),
        train=replace(train, epochs=study.epochs if train.epochs is None else train.epochs),
    )
    for plugin_name, (_, plugin) in searched.items():
        trainer.check_epochs(plugin, plan.epochs_of(plugin_name), plugin_name)
    _ = plan.parameters, plan.combinations  # raise what the space raises
    return plan


def _fixed(
    assigned: Mapping[str, Any], plugins: Mapping[str, tuple[Entry, Plugin]], known: Iterable[str], epochs: int | None
) -> dict[str, dict[str, Any]]:
    """Knobs that are not searched, by plugin. Given `epochs` also fix the knob `epochs`, which they override."""
    fixed: dict[str, dict[str, Any]] = {name: {} for name in plugins}
    for name, (_, plugin) in plugins.items():
        if epochs is not None and "epochs" in knobs_of(plugin):
            fixed[name]["epochs"] = epochs
    for key, value in assigned.items():
        name, _, knob = key.partition(".")
        if name not in plugins and (name in known and knob):  # a plugin that this call leaves out
            continue
        if name not in plugins or not knob:
            raise UsageError(f"--set takes PLUGIN.KNOB=VALUE with one of {', '.join(plugins)}, not '{key}'")
        fixed[name][knob] = resolve(plugins[name][1], {knob: value})[knob]
    return fixed


def _digest(parameters: Mapping[str, str]) -> str:
    """The number of parameters, and a digest over their names and ranges."""
    ranges = hashlib.blake2b(json.dumps(parameters).encode(), digest_size=4).hexdigest()
    return f"{len(parameters)} parameters, {ranges}"
