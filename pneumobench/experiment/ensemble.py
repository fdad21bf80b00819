"""An ensemble's members: which of them are already tracked, and their models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from pneumobench.authoring import registry
from pneumobench.authoring.components import Component, components
from pneumobench.authoring.recipe import Ensemble
from pneumobench.experiment.context import Context
from pneumobench.experiment.stored import Stored, held
from pneumobench.tracking.store import Store
from pneumobench.training.options import TrainOptions
from pneumobench.training.predictor import Predictor

RULE = TrainOptions().operating_point


def members(context: Context) -> list[Context]:
    """An experiment with each of an ensemble's members, which is tracked as such; empty for other plugins.

    Also empty with cross-validation, where every member is trained on each fold, and with permuted labels.
    """
    if not isinstance(context.plugin, Ensemble) or context.images.folds or context.train.permute_labels:
        return []
    return [of_member(context, one) for one in components(context.plugin, context.knobs)]


def of_member(context: Context, component: Component) -> Context:
    """The experiment with this member alone: it is the ensemble's mean that is calibrated and has a threshold."""
    train = replace(
        context.train, calibrate="none", operating_point=RULE, epochs=component.epochs(context.train.epochs)
    )
    entry = registry.find(component.name)
    return replace(
        context,
        entry=entry,
        plugin=component.plugin,
        knobs=component.knobs,
        train=train,
        name_in_study="",
        study=None,
        origin=None,
    )


def tracked(context: Context, store: Store) -> dict[str, Stored]:
    """The members of one training's ensemble that are tracked, by name."""
    (training,) = context.trainings
    found = {member.name: held(member, store, running=True).trained.get(training) for member in members(context)}
    return {name: one for name, one in found.items() if one is not None}


def listed(runs: Mapping[str, Stored]) -> str:
    """The members' run ids as a tag."""
    return json.dumps({name: one.run_id for name, one in runs.items()})


def load(runs: Mapping[str, Stored], member: str) -> Predictor | None:
    """The model of a member; None where it is not tracked."""
    return runs[member].predictor if member in runs else None
