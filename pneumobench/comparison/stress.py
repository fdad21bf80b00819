"""What do models read: tracked models, as they were frozen, on altered test images and on images without lungs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring.differences import REFERENCE
from pneumobench.comparison import external, frozen, select, stress_figures
from pneumobench.comparison.frozen import Frozen
from pneumobench.comparison.stress_figures import CLEAN, auroc, grey_alone, name_of, of_kind
from pneumobench.comparison.stress_result import StressPair, StressResult, StressStanding
from pneumobench.data import load, split
from pneumobench.data.dataset import Dataset
from pneumobench.data.lockbox import Lockbox, Look
from pneumobench.data.options import DataOptions
from pneumobench.data.subset import Part
from pneumobench.errors import UsageError
from pneumobench.evaluation import bootstrap, estimates, metrics
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.family import Family
from pneumobench.evaluation.paired import SEEDS
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.variance import Trainings, spread
from pneumobench.experiment.options import gathered
from pneumobench.experiment.session import Session
from pneumobench.tracking import stressed
from pneumobench.tracking.importing import as_guest, import_mlflow
from pneumobench.tracking.store import Store
from pneumobench.tracking.stressed import HOME, Stressed
from pneumobench.training import alterations, altered
from pneumobench.utils import provenance
from pneumobench.utils.described import by_name
from pneumobench.utils.interrupts import outside_databases
from pneumobench.utils.live import shown
from pneumobench.utils.progress import Progress

RESAMPLES = 1_000
Said = dict[str, list[Predictions]]  # by alteration, each training's predictions


@by_name(DataOptions)
@outside_databases()
@as_guest()
@shown
def stress(
    names: Sequence[str] | str = (),
    data: DataOptions | str | Path | None = None,
    *,
    site: str | None = None,
    seed: int = 0,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> StressResult:
    """Try tracked models on altered images, in one look, and add what came out to their runs; nothing is trained.

    `names` are plugins or run ids, by default what a comparison would pick. Without `site` the images are the test
    images that the models were scored on, found as in a run; with it, those of `data` at another site.
    Raises: UsageError or DataError before anything is written.
    """
    data, _ = gathered(data, None, options)
    session = Session(Store(tracking_uri), progress or Progress())
    import_mlflow()
    models = frozen.load(session.store, [names] if isinstance(names, str) else names, session.progress)
    notes: list[str] = []
    if site is None:
        dataset, where = _at_home(models, data, session), HOME
    else:
        ((where, dataset),) = external.datasets(data, site, None, session).items()
        frozen.check_kind(models, dataset)
        notes += frozen.refuse_seen(models, dataset, session.store)
    look = Look.now(
        plugin=", ".join(one.name for one in models),
        run=",".join(run.run_id for one in models for run in one.experiment.runs),
        fingerprint=models[0].experiment.tags["fingerprint"] if site is None else dataset.fingerprint,
        dataset=dataset.name,
    )
    part, looks = Lockbox(dataset).open(session.store.ledger, look)
    if site is not None:
        notes += frozen.refuse_alike(models, dataset, session.store, session.progress)
    part, lost = external.readable(part, models, session)
    said, floors = _said(models, part, seed, session)
    session.progress.stage("resampling patients for the intervals")
    standings = {one.name: _standing(one, said[one.name]) for one in models}
    record = Stressed(where, dataset.name, looks, look.when, provenance.command(), seed, alterations.VERSION, floors)
    for one in models:
        _record(record, one, standings[one.name], said[one.name], session.store)
    return StressResult(
        site=where,
        dataset=dataset.name,
        images=len(part),
        looks=looks,
        seed=seed,
        standings=tuple(sorted(standings.values(), key=lambda standing: -standing.mean.value)),
        pairs=tuple(_pairs(models, said)),
        floors=floors,
        notes=(*notes, *lost),
    )


def _at_home(models: Sequence[Frozen], data: DataOptions, session: Session) -> Dataset:
    """The test images that all models were scored on. Raises: UsageError where `data` holds others."""
    dataset = load.load(data, session.progress).dataset
    wanted = {(one.experiment.tags["fingerprint"], one.experiment.tags.get("limit")) for one in models}
    if len(wanted) > 1:
        raise UsageError("these models were trained on different images; name those of one dataset")
    fingerprint, limit = wanted.pop()
    if limit is not None:
        dataset = split.limit(dataset, int(limit))
    if dataset.fingerprint != fingerprint:
        trained = models[0].experiment.tags["dataset"]
        raise UsageError(
            f"{dataset.name} does not hold the test images of these models (those of {trained} {fingerprint[:8]}); "
            "--data names their folder, and --site says that the images are another site's"
        )
    return dataset.subset(dataset.origins == "test")


def _said(
    models: Sequence[Frozen], part: Part, seed: int, session: Session
) -> tuple[dict[str, Said], dict[str, float]]:
    """Every model's predictions for every alteration, all of the same pixels, and each control's floor."""
    grey = altered.of_part(part, session.progress.advance)
    said: dict[str, Said] = {one.name: {} for one in models}
    floors: dict[str, float] = {}
    every = alterations.names()
    for number, (kind, severity) in enumerate([(CLEAN, 0), *every]):
        session.progress.stage(f"{kind} {severity or ''}".rstrip() + f" ({number} of {len(every)})")
        pixels = grey if kind == CLEAN else alterations.altered(grey, kind, severity, seed)
        shown = altered.Altered(part, pixels)
        if kind in alterations.CONTROLS:
            floors[kind] = round(grey_alone(pixels, part.labels), 4)
        for one in models:
            said[one.name][name_of(kind, severity)] = one.predict(shown)
    return said, floors


def _standing(one: Frozen, said: Said) -> StressStanding:
    areas = stress_figures.areas(said)
    correct = {
        name: float(np.mean([np.mean(m.predicted == (m.label == 1)) for m in own])) for name, own in said.items()
    }
    mean = _mean(said)
    over = spread(mean.mean, [mean] if mean.count >= SEEDS else [], len(np.unique(said[CLEAN][0].patient)))
    half = over.t(0.025) * over.error
    sd = float(mean.points.std(ddof=1)) if mean.count > 1 else None
    return StressStanding(
        name=one.name,
        run_ids=tuple(run.run_id for run in one.experiment.runs),
        clean=estimates.evaluate(said[CLEAN], only=("auroc",))["auroc"],
        mean=Estimate(mean.value, max(mean.value - half, 0.0), min(mean.value + half, 1.0), sd),
        auroc=stress_figures.by_kind(areas),
        accuracy=stress_figures.by_kind(correct),
        by_severity={name: areas[name] for kind in alterations.CORRUPTIONS for name in of_kind(kind)},
        controls=stress_figures.controls(said),
    )


def _mean(said: Said) -> Trainings:
    """Each training's mean AUROC over all corruptions, as it is and on resampled patients."""
    names = [name for kind in alterations.CORRUPTIONS for name in of_kind(kind)]
    first, count = said[names[0]][0], len(said[names[0]])
    points = np.array([np.mean([auroc(said[name][i]) for name in names]) for i in range(count)])
    draws = np.zeros((RESAMPLES, count))
    for rows, W in bootstrap.blocks(first.patient, RESAMPLES):
        for i in range(count):
            figures = [metrics.auroc(m.label, m.probability, W) for m in (said[name][i] for name in names)]
            draws[rows, i] = np.mean(figures, axis=0)
    return Trainings(points, draws)


def _pairs(models: Sequence[Frozen], said: Mapping[str, Said]) -> list[StressPair]:
    """Each plugin against the baseline, or the first, by the mean AUROC over all corruptions."""
    if len(models) < 2:
        return []
    reference = next((one for one in models if select.names(one.experiment, REFERENCE)), models[0]).name
    sides = {name: _mean(own) for name, own in said.items()}
    family = Family({name: own[CLEAN] for name, own in said.items()}, "auroc", len(models) - 1)
    pairs = []
    for name in said:
        if name != reference:
            one, other = sides[name], sides[reference]
            of_plugins = min(one.count, other.count) >= SEEDS
            over = spread(one.mean - other.mean, [one, other] if of_plugins else [], family.patients, family.alike)
            pair = family.pair((name, reference), one.value - other.value, over, of_plugins=of_plugins, note="")
            pairs.append(
                StressPair(name, reference, pair.difference, pair.low, pair.high, pair.p_corrected, of_plugins)
            )
    return pairs


def _record(record: Stressed, one: Frozen, standing: StressStanding, said: Said, store: Store) -> None:
    """Add predictions and figures to every model's run, and the means over its seeds to its experiment's run."""
    runs = one.experiment.runs
    for i, run in enumerate(runs):
        own = {name: [models[i]] for name, models in said.items()}
        figures = standing if len(runs) == 1 else _standing(replace(one, experiment=_alone(one, i)), own)
        probabilities = {name: models[0].probability for name, models in own.items() if name != CLEAN}
        named = entries(record.site, figures)
        stressed.record(store, run.run_id, record, named, own[CLEAN][0], probabilities)
    parents = {run.parent for run in runs} - {run.run_id for run in runs}
    if len(parents) == 1:
        stressed.record(store, parents.pop(), record, entries(record.site, standing))


def _alone(one: Frozen, i: int) -> Any:
    return replace(one.experiment, runs=(one.experiment.runs[i],))


def entries(site: str, standing: StressStanding) -> dict[str, float]:
    """The figures by the names under which they are tracked: `stress_<site>_auroc`, `stress_<site>_<kind>_auroc`, …"""
    figures = {"auroc": standing.mean.value, "clean_auroc": standing.clean.value}
    figures |= {f"{kind}_auroc": value for kind, value in standing.auroc.items()}
    figures |= {f"{kind}_accuracy": value for kind, value in standing.accuracy.items()}
    figures |= {f"control_{name}_auroc": figure.value for name, figure in standing.controls.items()}
    return {f"stress_{site}_{name}".replace(",", "").replace(" ", "_"): value for name, value in figures.items()}
