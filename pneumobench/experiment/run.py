"""The flow of an experiment: images, split, training, one look at the test images, result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring import registry
from pneumobench.authoring.components import views
from pneumobench.authoring.knobs import resolve
from pneumobench.authoring.recipe import Plugin
from pneumobench.data import prepare
from pneumobench.data.options import DataOptions
from pneumobench.data.permuted import NOTE
from pneumobench.data.prepare import Prepared
from pneumobench.errors import TrackingError, UsageError
from pneumobench.evaluation import estimates
from pneumobench.experiment import calibrated, ensemble
from pneumobench.experiment.context import Context, Training
from pneumobench.experiment.fit import Fitted, fit
from pneumobench.experiment.options import gathered
from pneumobench.experiment.recording import Record, recording_of
from pneumobench.experiment.result import Result, SeedResult
from pneumobench.experiment.score import Scores, score
from pneumobench.experiment.session import Session, checkpoints_of, open_store
from pneumobench.experiment.study_origin import Origin
from pneumobench.tracking.importing import as_guest, import_mlflow
from pneumobench.tracking.store import Store
from pneumobench.training import loadable, trainer
from pneumobench.training.options import TrainOptions
from pneumobench.utils import energy
from pneumobench.utils.interrupts import outside_databases
from pneumobench.utils.progress import Progress


@outside_databases()
@as_guest()
def run(
    plugin: str,
    knobs: Mapping[str, Any] | None = None,
    data: DataOptions | str | Path | None = None,
    train: TrainOptions | None = None,
    *,
    test: bool = True,
    tracking_uri: str | None = None,
    origin: Origin | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Train a plugin with each seed, score it, and track everything in MLflow.

    Options are option objects, or their fields as keywords (`seeds=3`, `limit=200`). All seeds are trained first and
    then scored in one look at the test images (`test=False` leaves them closed). With folds the development images are
    cross-validated, and the mean of the folds' models is scored. An ensemble's members that are not tracked yet are
    trained and tracked first, with the test images closed. `origin` is the study that selected the knobs.
    Raises: UsageError, PluginError or DataError before anything is tracked; any later error ends the run as FAILED.
    """
    data, train = gathered(data, train, options)
    session = Session(Store(tracking_uri), progress or Progress())
    entry, loaded = registry.find(plugin), registry.load(plugin)
    values = resolve(loaded, knobs or {})
    trainer.check_epochs(loaded, train.epochs, plugin)
    if train.folds and data.split_seeds > 1:
        raise UsageError("--folds divides the images itself; take it or --split-seeds")
    open_store(session)
    images = _images(loaded, values, data, train, origin, session)
    if train.permute_labels:
        session.progress.note(NOTE)
        images = replace(images, notes=(*images.notes, NOTE))
    context = Context(entry, loaded, values, images, train, origin=origin)
    session.progress.stage("saving and loading an untrained model")
    loadable.check(loaded, values, plugin, entry.module)
    members = _members(context, session)
    with recording_of(context, session) as record, energy.measuring() as meter:
        models = _fit_all(context, members, record, session)
        scores = score(context, models, record, session, open_test=test)
        notes = _notes(scores, record, context, session)
        _track(models, scores, record, session)
        calibration = calibrated.track(models, scores.uncalibrated, scores.test, record)
        result = replace(_result(context, models, scores, record, session, notes), calibration=calibration)
        record.finish(result, scores.overall, scores.test)
        record.parent.metrics(meter.metrics())
    return result


def _images(
    plugin: Plugin,
    knobs: Mapping[str, Any],
    data: DataOptions,
    train: TrainOptions,
    origin: Origin | None,
    session: Session,
) -> Prepared:
    """The images, split, with the development images decoded; also imports Keras and MLflow, which takes seconds."""
    clock, progress = session.clock, session.progress
    with clock("load"):
        images = prepare.load(data, progress)
        if origin:
            origin.check(images.dataset)
    with clock("decode"):
        images = prepare.decode(images, views(plugin, knobs), folds=train.folds, progress=progress)
    with clock("start"):
        progress.stage("starting Keras and MLflow")
        trainer.start(plugin, knobs)
        import_mlflow()
    return images


def _members(context: Context, session: Session) -> dict[Training, dict[str, str]]:
    """For each training the runs of an ensemble's members, trained now if not yet tracked; {} for other plugins."""
    contexts = {training: context.at(training) for training in context.trainings}
    runs = {training: ensemble.tracked(own, session.store) for training, own in contexts.items()}
    members = ensemble.members(context)
    missing = [(training, member) for training in runs for member in members if member.name not in runs[training]]
    if missing:
        session.progress.stage("building every member once, before any is trained")
        trainer.build(context.plugin, context.knobs, context.train.epochs, context.name)
    for training, component in missing:
        name = f"member {component.name}, {context.title(training)}"
        session.progress.fact(f"{name}: trained as a separate run, test images closed")
        member = ensemble.of_member(contexts[training], component)
        runs[training][component.name] = run(
            member.name,
            member.knobs,
            member.images.options,
            member.train,
            test=False,
            tracking_uri=session.store.uri,
            progress=session.progress,
        ).run_id
    return runs


def _fit_all(
    context: Context, members: Mapping[Training, Mapping[str, str]], record: Record, session: Session
) -> dict[Training, Fitted]:
    """The model of each training, logged as soon as it is trained."""
    models = {}
    for training in context.trainings:
        if members[training]:
            record.of(training).tags({"members": json.dumps(members[training])})
        with checkpoints_of(context.at(training), session) as checkpoints, energy.measuring() as meter:
            models[training] = fit(
                context.at(training),
                seed=training.seed,
                on_epoch=record.on_epoch(training),
                trained=partial(ensemble.load, session.store, members[training]),
                clock=session.clock,
                progress=session.progress,
                checkpoints=checkpoints,
            )
            spent = meter.metrics("training_")
            with session.clock("evaluate"):
                figures = estimates.evaluate([models[training].validation])
            with session.clock("track"):
                session.progress.stage("writing to the tracking store")
                record.save(training, models[training], figures)
                record.of(training).metrics(spent)
    return models


def _track(models: Mapping[Training, Fitted], scores: Scores, record: Record, session: Session) -> None:
    """Log each training's metrics and plots, and each fold's predictions on its held-out images."""
    with session.clock("track"):
        session.progress.stage("writing to the tracking store")
        failed: list[TrackingError] = []
        for training in models:  # each is kept on this machine where the store does not take it
            try:
                record.score(training, scores.test.get(training), scores.of_training[training].get("test"))
            except TrackingError as error:
                failed.append(error)
        if failed:
            raise failed[0]
        for model in models.values():
            for fold, (held_out, figures) in enumerate(zip(model.folds, scores.folds, strict=False), 1):
                record.finish_fold(fold, held_out, figures)


def _notes(scores: Scores, record: Record, context: Context, session: Session) -> tuple[str, ...]:
    """Notes for the user about the images, including those that could not be read."""
    if not scores.lost:
        return context.images.notes
    note = f"{len(scores.lost)} unreadable images left out: {', '.join(scores.lost)}"
    session.progress.note(note)
    record.tags({"unreadable": len(scores.lost), "unreadable_files": ", ".join(scores.lost)})
    return (*context.images.notes, note)


def _result(
    context: Context,
    models: Mapping[Training, Fitted],
    scores: Scores,
    record: Record,
    session: Session,
    notes: tuple[str, ...],
) -> Result:
    images, train = context.images, context.train
    predictors = [model.predictor for model in models.values()]
    backend, device = trainer.runs_on(context.plugin, context.knobs)
    return Result(
        run_id=record.parent.run_id,
        plugin=context.name,
        knobs=dict(context.knobs),
        epochs=train.epochs,
        dataset=images.dataset.name,
        fingerprint=images.dataset.fingerprint,
        split=images.options.split,
        split_seed=images.options.split_seed,
        folds=train.folds,
        operating_point=train.operating_point,
        counts=images.counts(scores.labels),
        validation=dict(scores.overall["validation"]),
        test=dict(scores.overall["test"]) if scores.test else None,
        majority=estimates.majority(scores.labels),
        published=estimates.published_for(scores.labels),
        runs=tuple(
            SeedResult(
                seed=training.seed,
                run_id=record.of(training).run_id,
                operating=model.validation.operating,
                validation=dict(scores.of_training[training]["validation"]),
                test=dict(scores.of_training[training]["test"]) if scores.test else None,
                split_seed=training.split_seed,
            )
            for training, model in models.items()
        ),
        seconds=session.clock.seconds(),
        images_per_second=float(np.mean([predictor.images_per_second for predictor in predictors])),
        parameters=predictors[0].parameters,
        precision=predictors[0].precision,
        device=device,
        backend=backend,
        looks=scores.looks,
        limit=images.options.limit,
        notes=notes,
        sites={name: dict(figures) for name, figures in scores.sites.items()},
    )
