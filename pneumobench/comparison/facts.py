"""All that is tracked of one experiment, gathered for those who did not make it; nothing is trained or typed."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from pneumobench.comparison import figures
from pneumobench.comparison.figures import AlteredFigures, GroupFigures, SiteFigures
from pneumobench.comparison.scored import score
from pneumobench.comparison.select import PHANTOM
from pneumobench.data.lockbox import Look
from pneumobench.errors import PneumobenchError
from pneumobench.evaluation import recalibration
from pneumobench.evaluation.estimates import Estimate
from pneumobench.experiment.logged import ENVIRONMENT, SETTINGS
from pneumobench.tracking.runs import Experiment, TrackedRun, chosen, experiments
from pneumobench.tracking.store import Store
from pneumobench.utils.hashing import digest_of

Figures = tuple[Mapping[str, Estimate], Mapping[str, Estimate] | None]  # on validation, and on test images
ENERGY = {"gpu": "GPU", "cpu": "processor"}


@dataclass(frozen=True, eq=False)
class Facts:
    """An experiment's figures, recomputed from its predictions, and what its runs say of how they were made.

    `settings`, `environment`, `source` (the plugin's docstring) and `looks` (those at its test images in the ledger)
    are None where runs were read from an export, which does not hold them.
    """

    experiment: Experiment
    validation: Mapping[str, Estimate]
    test: Mapping[str, Estimate] | None
    calibration: Mapping[str, Estimate]
    groups: Sequence[GroupFigures]
    sites: Sequence[SiteFigures]
    altered: Sequence[AlteredFigures]
    settings: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] | None = None
    source: str | None = None
    looks: Sequence[Look] | None = None
    whole: Mapping[str, float] = field(default_factory=dict)  # metrics of the experiment's own run

    @property
    def runs(self) -> tuple[TrackedRun, ...]:
        """The trainings."""
        return self.experiment.runs

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the first training."""
        return self.experiment.tags

    @property
    def is_phantom(self) -> bool:
        """Whether the images are synthetic."""
        return self.tags["dataset"] == PHANTOM

    @cached_property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Images of each class and patients by part of the split, of the first training; only what is known."""
        tracked = json.loads(self.tags.get("images", "{}"))
        found = {part: dict(tracked[part]) for part in ("training", "validation", "test") if part in tracked}
        for part in ("validation", "test"):
            own = self.runs[0].predictions(part)
            if own is not None:  # what was scored: files that could not be read are not among it
                normal, ill = np.bincount(own.label, minlength=2).tolist()
                found[part] = {"normal": normal, "pneumonia": ill, "patients": len(np.unique(own.patient))}
        return {part: found[part] for part in ("training", "validation", "test") if part in found}

    @property
    def without_patient(self) -> int | None:
        """How many images had no patient's key, so that each was its own patient; None where that is not tracked."""
        return json.loads(self.tags.get("images", "{}")).get("without_patient_key")

    @cached_property
    def shared_patients(self) -> int | None:
        """How many patients have images both in validation and in test; None where one of them was not predicted."""
        both = [(run.predictions("validation"), run.predictions("test")) for run in self.runs]
        shared = [set(one.patient.tolist()) & set(other.patient.tolist()) for one, other in both if one and other]
        return len(set().union(*shared)) if len(shared) == len(both) else None

    @cached_property
    def characteristics(self) -> Mapping[str, Mapping[str, int]]:
        """What is known of the test images besides their class: how many have each value, by column."""
        own = self.runs[0].predictions("test")
        return {} if own is None else figures.characteristics(own)

    @property
    def prevalence(self) -> float | None:
        """The share of test images with pneumonia."""
        counts = self.counts.get("test") if self.test else None
        return counts["pneumonia"] / (counts["normal"] + counts["pneumonia"]) if counts else None

    @property
    def energy(self) -> Mapping[str, float]:
        """Watt-hours of all trainings by kind of device; {} where a training's are not known."""
        kinds = {kind: [run.metrics.get(f"training_energy_{kind}_wh") for run in self.runs] for kind in ENERGY}
        return {kind: sum(v for v in own if v) for kind, own in kinds.items() if all(v is not None for v in own)}


def of(runs: Sequence[TrackedRun], name: str, store: Store | None = None) -> Facts:
    """The facts of the experiment that a run's id, or a plugin's name, means; `store` is where the runs are from.

    Of a plugin's experiments it is that of most trainings, the latest of equals. Raises: UsageError for neither.
    """
    of_plugin = [run for run in runs if run.plugin == name]
    found = experiments(of_plugin or chosen(runs, [name]))
    return gather(max(found, key=lambda one: len(one.runs)), store)


def gather(experiment: Experiment, store: Store | None = None, figures_known: Figures | None = None) -> Facts:
    """The facts of an experiment; `figures_known` are its figures on validation and test where they are computed."""
    if figures_known is None:
        (scored,) = score([experiment])
        figures_known = scored.validation, scored.test
    tested = experiment.predictions("test") if experiment.opened_test else []
    first = experiment.runs[0]
    of_store: dict[str, Any] = {}
    if store is not None:
        images = digest_of(tested[0].hash, 8) if tested else None
        of_store = {
            "settings": _json(store, first, f"settings/{SETTINGS}"),
            "environment": _json(store, first, f"settings/{ENVIRONMENT}"),
            "source": _docstring(store, first),
            "looks": [look for look in store.ledger.looks() if look.images == images],
            "whole": _whole(store, experiment),
        }
    return Facts(
        experiment=experiment,
        validation=figures_known[0],
        test=figures_known[1],
        calibration=recalibration.diagnoses(tested) if tested else {},
        groups=figures.by_group(tested) if tested else (),
        sites=figures.at_sites(experiment),
        altered=figures.altered(experiment),
        **of_store,
    )


def _whole(store: Store, experiment: Experiment) -> Mapping[str, float]:
    parents = {run.parent for run in experiment.runs}
    run = store.run(parents.pop()) if len(parents) == 1 else None
    return dict(run.data.metrics) if run is not None else {}


def _json(store: Store, run: TrackedRun, path: str) -> Mapping[str, Any] | None:
    try:
        return dict(json.loads(store.file(run.run_id, path).read_text()))
    except (PneumobenchError, OSError, ValueError):  # an older run, or an imported one
        return None


def _docstring(store: Store, run: TrackedRun) -> str | None:
    """What the plugin's file, as it was then, says of itself."""
    try:
        file = store.file(run.run_id, "plugin") / f"{run.plugin}.py"
        return ast.get_docstring(ast.parse(file.read_text()))
    except (PneumobenchError, OSError, ValueError, SyntaxError):
        return None
