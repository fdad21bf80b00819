"""From requests to experiments that can be run: every check before the first training, and what is already tracked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pneumobench.authoring.components import views
from pneumobench.authoring.knobs import resolve
from pneumobench.authoring.recipe import Ensemble
from pneumobench.data import prepare
from pneumobench.data.options import DataOptions
from pneumobench.data.permuted import NOTE
from pneumobench.errors import PneumobenchError, UsageError
from pneumobench.experiment import ensemble
from pneumobench.experiment.context import Context
from pneumobench.experiment.planned import Planned
from pneumobench.experiment.request import Request
from pneumobench.experiment.session import Session
from pneumobench.experiment.stored import Held, held
from pneumobench.experiment.under_way import UnderWay
from pneumobench.tracking.importing import import_mlflow
from pneumobench.training import loadable, trainer
from pneumobench.training.options import TrainOptions
from pneumobench.utils.timing import Clock


def make(
    requests: Sequence[Request],
    data: DataOptions,
    train: TrainOptions,
    session: Session,
    *,
    opens_test: bool,
    again: bool,
) -> list[UnderWay]:
    """The experiments that are asked for, after the members of ensembles that are not tracked yet.

    Raises: UsageError, PluginError or DataError where one of them cannot be run.
    """
    if train.folds and data.split_seeds > 1:
        raise UsageError("--folds divides the images itself; take it or --split-seeds")
    contexts = list({one.key: one for one in contexts_of(requests, data, train, session)}.values())
    own = [session] if len(contexts) == 1 else [_among_others(session) for _ in contexts]
    asked = []
    for context, its_session in zip(contexts, own, strict=True):
        before = Held() if again else held(context, session.store)
        asked.append(UnderWay(Planned(context, session.store, before, opens_test), its_session))
    missing = [one for one in asked if one.planned.missing]
    if missing:
        session.progress.stage("saving and loading an untrained model")
    for one in missing:
        _check(one, is_alone=len(asked) == 1)
    for one in asked:
        for line in one.planned.reused():
            session.progress.fact(line)
    return [*_members(asked, session), *asked]


def contexts_of(requests: Sequence[Request], data: DataOptions, train: TrainOptions, session: Session) -> list[Context]:
    """Each request with its images, which are read once, divided and decoded; also imports Keras and MLflow.

    Raises: UsageError, PluginError or DataError where one of them cannot be run.
    """
    clock, progress, several = session.clock, session.progress, len(requests) > 1
    loaded = []
    for request in requests:
        entry, plugin = request.load()
        knobs, own = resolve(plugin, request.knobs), request.train or train
        if several and not plugin.has_epochs:  # an estimator among networks
            own = replace(own, epochs=None)
        trainer.check_epochs(plugin, own.epochs, request.plugin)
        loaded.append((request, entry, plugin, knobs, own))
    with clock("load"):
        images = prepare.load(data, progress)
    if train.permute_labels:
        progress.note(NOTE)
        images = replace(images, notes=(*images.notes, NOTE))
    contexts = []
    for request, entry, plugin, knobs, own in loaded:
        if request.origin:
            request.origin.check(images.dataset)
        with clock("decode"):
            decoded = prepare.decode(images, views(plugin, knobs), folds=train.folds, progress=progress)
        name = request.plugin if request.plugin != entry.name else ""
        contexts.append(Context(entry, plugin, knobs, decoded, own, name, request.study, request.origin))
    with clock("start"):
        progress.stage("starting Keras and MLflow")
        for context in contexts:
            trainer.start(context.plugin, context.knobs)
        import_mlflow()
    for context in contexts:
        context.check_divisions()
    return contexts


def _check(one: UnderWay, *, is_alone: bool) -> None:
    """Build, save and load the untrained model; among several plugins one that cannot be costs the others nothing."""
    try:
        loadable.check(one.context.plugin, one.context.knobs, one.context.name, one.context.entry.module)
    except PneumobenchError as error:
        if is_alone:
            raise
        for training in one.planned.missing:
            one.fail(training, error)


def _among_others(session: Session) -> Session:
    """What one of several experiments uses: its clock counts its phases alone, and energy is that of each training."""
    return replace(session, clock=Clock(is_shared=True), meter=None)


def waves(experiments: Sequence[UnderWay]) -> list[list[UnderWay]]:
    """The experiments in two waves: ensembles are trained after all others, which may be their members."""
    ensembles = [one for one in experiments if isinstance(one.context.plugin, Ensemble)]
    return [[one for one in experiments if one not in ensembles], ensembles]


def _members(asked: Sequence[UnderWay], session: Session) -> list[UnderWay]:
    """The experiments with an ensemble's member that are neither tracked nor asked for, a training each."""
    planned = {(one.context.key, training) for one in asked for training in one.planned.trainings}
    members = []
    for one in asked:
        for training in one.untrained:
            for member in ensemble.members(one.context.at(training)):
                before = held(member, session.store)
                if (member.key, training) in planned or training in before.trained:
                    continue
                planned.add((member.key, training))
                its_session = _among_others(session)
                members.append(
                    UnderWay(Planned(member, session.store, before, opens_test=False), its_session, is_asked_for=False)
                )
                name = f"member {member.name}, {one.context.title(training)}"
                session.progress.fact(f"{name}: trained as a separate run, test images closed")
    if members:
        session.progress.stage("building every member once, before any is trained")
        for one in members:
            trainer.build(one.context.plugin, one.context.knobs, one.context.train.epochs, one.context.name)
    return members
