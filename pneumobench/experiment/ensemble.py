"""An ensemble's members: which of them are already tracked, and their models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.components import Component, components
from pneumobench.authoring.recipe import Ensemble
from pneumobench.errors import PneumobenchError
from pneumobench.experiment.context import Context
from pneumobench.tracking.store import Store
from pneumobench.training import predictor
from pneumobench.training.predictor import Predictor


def members(context: Context) -> list[Component]:
    """An ensemble's members, each of which is tracked as a separate run; empty for other plugins.

    Also empty with cross-validation, where every member is trained on each fold, and with permuted labels.
    """
    if not isinstance(context.plugin, Ensemble) or context.images.folds or context.train.permute_labels:
        return []
    return list(components(context.plugin, context.knobs))


def tracked(context: Context, store: Store) -> dict[str, str]:
    """Members -> run ids, for members that a finished run trained on the same data, split, seed and knobs.

    The plugin's source code, and the files that its knobs name, must be identical too.
    """
    runs = {member.name: _find(of_member(context, member), store) for member in members(context)}
    return {member: run_id for member, run_id in runs.items() if run_id}


def load(store: Store, runs: Mapping[str, str], member: str) -> Predictor | None:
    """The model of a member's run, with its training time and speed; None where it has no run."""
    if member not in runs:
        return None
    run = store.client.get_run(runs[member])
    loaded, _ = predictor.load(store.model_folder(run))
    return replace(
        loaded,
        seconds=run.data.metrics["training_seconds"],
        images_per_second=run.data.metrics["training_images_per_second"],
        parameters=int(run.data.tags["parameters"]),
        precision=run.data.tags["precision"],
    )


def of_member(context: Context, component: Component) -> Context:
    """The context of a training with this member alone, which is not calibrated: the ensemble's mean is."""
    train = replace(context.train, calibrate="none", epochs=component.epochs(context.train.epochs))
    entry = registry.find(component.name)
    return replace(context, entry=entry, plugin=component.plugin, knobs=component.knobs, train=train)


def _find(context: Context, store: Store) -> str | None:
    wanted: Mapping[str, Any] = {
        "plugin": context.name,
        "fingerprint": context.images.dataset.fingerprint,
        "split_digest": context.images.development.digest,
        "plugin_digest": context.plugin_digest,
        "seed": context.train.seed,
    }
    parameters = {name: str(value) for name, value in context.parameters.items()}
    for run in store.finished(wanted):
        if {"permuted", "calibrate"} & run.data.tags.keys():
            continue
        same = run.data.params == parameters and run.data.tags.get("files", "") == context.files
        if same and run.data.tags["kind"] in ("run", "seed") and run.outputs.model_outputs and _is_whole(store, run):
            return run.info.run_id
    return None


def _is_whole(store: Store, run: Any) -> bool:
    """Whether the model's files still exist where they were logged."""
    try:
        return (store.model_folder(run) / predictor.CARD).exists()
    except (PneumobenchError, OSError):
        return False
