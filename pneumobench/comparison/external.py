"""Does a result survive in another hospital: tracked models, as they were frozen, on images of another site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.comparison import frozen
from pneumobench.comparison.frozen import Frozen
from pneumobench.comparison.site_result import SiteResult, Sites, SiteStanding, order
from pneumobench.data import locate
from pneumobench.data.dataset import CLASSES, Dataset
from pneumobench.data.load import load_folder
from pneumobench.data.lockbox import Lockbox, Look
from pneumobench.data.options import DataOptions
from pneumobench.data.subset import Part
from pneumobench.errors import DataError, UsageError
from pneumobench.evaluation import estimates, recalibration, stratified
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment.logged import entries
from pneumobench.experiment.options import gathered
from pneumobench.experiment.session import Session
from pneumobench.tracking import judged
from pneumobench.tracking.importing import as_guest, import_mlflow
from pneumobench.tracking.judged import Judged
from pneumobench.tracking.recorder import DatasetInput
from pneumobench.tracking.store import Store
from pneumobench.utils import provenance
from pneumobench.utils.described import by_name
from pneumobench.utils.interrupts import outside_databases
from pneumobench.utils.live import shown
from pneumobench.utils.progress import Progress

AT_HOME = ("auroc", "sensitivity", "specificity")
Figures = dict[str, Estimate]


@by_name(DataOptions)
@outside_databases()
@as_guest()
@shown
def external(
    names: Sequence[str] | str = (),
    data: DataOptions | str | Path | None = None,
    *,
    site: str | None = None,
    within: str | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Sites:
    """Judge tracked models on another site's images, and add what came out to their runs; nothing is trained.

    `names` are plugins or run ids, by default what a comparison would pick. `data` is a folder or a manifest, or
    several, each a site of its own, named by `site` or after its folder; `options` are further fields of `DataOptions`.
    `within` is a column of few values, such as "view", inside which AUROC is taken too.
    Raises: UsageError or DataError, for images that a model was made with among others, before anything is written.
    """
    data, _ = gathered(data, None, options)
    session = Session(Store(tracking_uri), progress or Progress())
    found = datasets(data, site, within, session)
    import_mlflow()
    models = frozen.load(session.store, [names] if isinstance(names, str) else names, session.progress)
    notes = {}
    for name, dataset in found.items():
        frozen.check_kind(models, dataset)
        notes[name] = [*dataset.notes, *dataset.not_read, *frozen.refuse_seen(models, dataset, session.store)]
    return Sites(_judge(name, dataset, models, within, notes[name], session) for name, dataset in found.items())


def datasets(data: DataOptions, site: str | None, within: str | None, session: Session) -> dict[str, Dataset]:
    """The images of each site by its name, none of them decoded."""
    if data.data is None:
        raise UsageError("external takes the images of another site: --data DIR or MANIFEST")
    if site is not None and len(data.sources) > 1:
        raise UsageError(f"--site names one site; --data names {len(data.sources)}")
    found: dict[str, Dataset] = {}
    for source in data.sources:
        session.progress.stage("reading file names and hashes")
        dataset = load_folder(
            locate.find(source, session.progress.stage).root,
            replace(data, data=source),
            skip_unreadable=data.skip_unreadable,
            advance=session.progress.advance,
            elsewhere=True,
        )
        name = judged.check_name(site) if site is not None else judged.name_of(dataset.name)
        if name in found:
            raise UsageError(f"two of the sites are called {name}; judge one by one, with --site")
        if within is not None:
            stratified.check(dataset.labels, dataset.columns, within)
        found[name] = dataset
    return found


def _judge(
    site: str, dataset: Dataset, models: Sequence[Frozen], within: str | None, notes: list[str], session: Session
) -> SiteResult:
    """One look at a site's images by all models; their runs are written to when all figures are there."""
    progress = session.progress
    look = Look.now(
        plugin=", ".join(one.name for one in models),
        run=",".join(run.run_id for one in models for run in one.experiment.runs),
        fingerprint=dataset.fingerprint,
        dataset=dataset.name,
    )
    part, looks = Lockbox(dataset).open(session.store.ledger, look)
    notes += frozen.refuse_alike(models, dataset, session.store, progress)
    part, lost = readable(part, models, session)
    notes += lost
    predicted = {}
    for one in models:
        progress.stage(f"{one.name} on {len(part):,} images of {site}")
        predicted[one.name] = one.predict(part)
    progress.stage("resampling patients for the intervals")
    figures = _figures(predicted, within)
    judgement = Judged(site, dataset.name, dataset.fingerprint, looks, look.when, provenance.command())
    _record(judgement, part, models, predicted, figures, within, session.store)
    standings = [
        SiteStanding(
            name=one.name,
            run_ids=tuple(run.run_id for run in one.experiment.runs),
            thresholds=tuple(run.metrics["threshold"] for run in one.experiment.runs),
            home=_at_home(one),
            away=figures[one.name],
        )
        for one in models
    ]
    column = stratified.values(part.dataset.columns, within) if within else None
    return SiteResult(
        site=site,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        home=", ".join(dict.fromkeys(one.experiment.tags["dataset"] for one in models)),
        counts=dict(zip(CLASSES, np.bincount(part.labels, minlength=2).tolist(), strict=True)),
        patients=len(np.unique(part.patients)),
        within=within or "",
        alone=None if column is None else stratified.alone(part.labels, column),
        looks=looks,
        standings=tuple(sorted(standings, key=lambda standing: order(standing, within or ""))),
        notes=tuple(notes),
    )


def readable(part: Part, models: Sequence[Frozen], session: Session) -> tuple[Part, list[str]]:
    """The images that all models can read, and which were left out. Raises: DataError unless those may be skipped."""
    session.progress.stage("decoding")
    for view in dict.fromkeys(view for one in models for view in one.views):
        part = part.readable(view, session.progress.advance)
        part.pixels(view, session.progress.advance)
    lost = [*part.dataset.unreadable, *part.lost]
    if len(np.unique(part.labels)) < 2:
        raise DataError(f"{part.dataset.name} has one class alone left; both are needed")
    return part, [f"{len(lost)} unreadable images left out: {', '.join(lost)}"] if lost else []


def _figures(predicted: Mapping[str, Sequence[Predictions]], within: str | None) -> dict[str, Figures]:
    """Every metric of each plugin, with AUROC within the column and the diagnoses of calibration."""
    figures = estimates.evaluate_all(predicted)
    if within:
        inside = estimates.evaluate_all(predicted, only=(stratified.name(within),))
        figures = {name: figures[name] | inside[name] for name in figures}
    return {name: own | recalibration.diagnoses(predicted[name]) for name, own in figures.items()}


def _record(
    judgement: Judged,
    part: Part,
    models: Sequence[Frozen],
    predicted: Mapping[str, Sequence[Predictions]],
    figures: Mapping[str, Figures],
    within: str | None,
    store: Store,
) -> None:
    """Add predictions and figures to every model's run, and the means over its seeds to its experiment's run."""
    sizes = {name: int(np.sum(part.labels == label)) for label, name in enumerate(CLASSES)}
    used = DatasetInput(judgement.dataset, judgement.fingerprint, str(part.dataset.root), sizes)
    for one in models:
        runs, own = one.experiment.runs, predicted[one.name]
        for run, predictions in zip(runs, own, strict=True):
            alone = figures[one.name] if len(own) == 1 else _figures({"": [predictions]}, within)[""]
            judged.record(store, run.run_id, judgement, entries(judged.part(judgement.site), alone), predictions, used)
        parents = {run.parent for run in runs} - {run.run_id for run in runs}
        if len(parents) == 1:
            judged.record(store, parents.pop(), judgement, entries(judged.part(judgement.site), figures[one.name]))


def _at_home(one: Frozen) -> Figures | None:
    if not one.experiment.opened_test:
        return None
    return estimates.evaluate(one.experiment.predictions("test"), only=AT_HOME)
