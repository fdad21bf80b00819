"""An ensemble's members: which of them are tracked already, and their models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pneumobench.authoring import registry
from pneumobench.authoring.knobs import MEMBERS, of_member
from pneumobench.authoring.recipe import Ensemble
from pneumobench.errors import PneumobenchError
from pneumobench.experiment.context import About
from pneumobench.tracking.store import Store
from pneumobench.training import predictor, trainer
from pneumobench.training.predictor import Predictor


def tracked(about: About, store: Store, seed: int) -> dict[str, str]:
    """Members -> run ids, for those that a finished run trained on the same data, split, seed and knobs.

    The plugin's source, and the files that its knobs name, must be the same too. Empty for other plugins, and
    with folds, where every member is trained on each of them.
    """
    if not isinstance(about.plugin, Ensemble) or about.images.folds:
        return {}
    found = {member: _find(_of(about, member), store, seed) for member in about.knobs[MEMBERS]}
    return {member: run_id for member, run_id in found.items() if run_id}


def missing(about: About, runs: Mapping[str, str]) -> list[str]:
    """The members that have to be trained before the ensemble is whole; none for other plugins, or with folds."""
    if not isinstance(about.plugin, Ensemble) or about.images.folds:
        return []
    return [member for member in about.knobs[MEMBERS] if member not in runs]


def load(store: Store, runs: Mapping[str, str], member: str) -> Predictor | None:
    """The model of a member's run, with what its training took; None where it has no run."""
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


def _of(about: About, member: str) -> About:
    """What would be known of an experiment with one member alone."""
    return replace(
        about,
        entry=registry.find(member),
        plugin=registry.load(member),
        knobs=of_member(member, about.knobs),
        epochs=trainer.epochs_of(member, about.epochs),
    )


def _find(about: About, store: Store, seed: int) -> str | None:
    wanted: Mapping[str, Any] = {
        "plugin": about.name,
        "fingerprint": about.images.dataset.fingerprint,
        "split_digest": about.images.development.digest,
        "plugin_digest": about.plugin_digest,
        "seed": seed,
    }
    parameters = {name: str(value) for name, value in about.parameters.items()}
    for run in store.finished(wanted):
        same = run.data.params == parameters and run.data.tags.get("files", "") == about.files
        if same and run.data.tags["kind"] in ("run", "seed") and run.outputs.model_outputs and _is_whole(store, run):
            return run.info.run_id
    return None


def _is_whole(store: Store, run: Any) -> bool:
    """Whether the model is still where it was logged."""
    try:
        return (store.model_folder(run) / predictor.CARD).exists()
    except (PneumobenchError, OSError):
        return False
