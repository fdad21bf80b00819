"""The flow of experiments: images, split, training, one look at the test images, results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pneumobench.authoring import cells
from pneumobench.authoring.recipe import Plugin
from pneumobench.data.options import DataOptions
from pneumobench.experiment import plan
from pneumobench.experiment.context import Training
from pneumobench.experiment.finish import finish
from pneumobench.experiment.options import gathered
from pneumobench.experiment.outcome import Failure, Outcome
from pneumobench.experiment.request import Request
from pneumobench.experiment.result import Result
from pneumobench.experiment.score import open_test
from pneumobench.experiment.session import Session, open_store
from pneumobench.experiment.study_origin import Origin
from pneumobench.experiment.under_way import UnderWay
from pneumobench.tracking.importing import as_guest
from pneumobench.tracking.store import Store
from pneumobench.training.options import TrainOptions
from pneumobench.utils import energy
from pneumobench.utils.described import by_name
from pneumobench.utils.interrupts import outside_databases
from pneumobench.utils.live import shown
from pneumobench.utils.progress import Progress

Unit = tuple[UnderWay, Training]  # one training of one experiment
Trainer = Callable[[Sequence[Unit]], None]  # trains all of them; tells an experiment which of its trainings failed


@by_name(DataOptions, TrainOptions)
@outside_databases()
@as_guest()
@shown
def run(
    plugin: str | Plugin,
    knobs: Mapping[str, Any] | None = None,
    data: DataOptions | str | Path | None = None,
    train: TrainOptions | None = None,
    *,
    name: str | None = None,
    test: bool = True,
    again: bool = False,
    tracking_uri: str | None = None,
    origin: Origin | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Train a plugin with each seed, score it, and track everything in MLflow.

    Options are option objects, or their fields as keywords (`seeds=3`, `limit=200`). All seeds are trained first and
    then scored in one look at the test images (`test=False` leaves them closed). With folds the development images are
    cross-validated, and the mean of the folds' models is scored. An ensemble's members that are not tracked yet are
    trained and tracked first, with the test images closed. What a tracked run of the same plugin, knobs, images and
    options has trained or scored is reused, unless `again`. `origin` is the study that chose the knobs. A plugin made
    in a notebook is given as a value with a `name`; it is written to a file beside the store and trained from there.
    Raises: UsageError, PluginError or DataError before anything is tracked; any later error ends the run as FAILED.
    """
    outcome = run_requests(
        [Request(cells.named(plugin, name, Store(tracking_uri).folder / "plugins"), knobs or {}, origin=origin)],
        *gathered(data, train, options),
        test=test,
        again=again,
        tracking_uri=tracking_uri,
        progress=progress,
    )
    for failure in outcome.failed:
        raise failure.error
    return outcome.results[0]


@outside_databases()
@as_guest()
def run_requests(
    requests: Sequence[Request],
    data: DataOptions,
    train: TrainOptions,
    *,
    test: bool = True,
    again: bool = False,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
    trainer: Trainer | None = None,
) -> Outcome:
    """Train every plugin that is asked for, and then score all of them in one look at the test images.

    A training that fails is noted, and the others go on; its plugin is not scored, and the same call again trains what
    is missing. `trainer` trains elsewhere than in this process.
    Raises: UsageError, PluginError or DataError before anything is trained; later what ends all of it.
    """
    with energy.measuring() as meter:
        session = Session(Store(tracking_uri), progress or Progress(), meter=meter)
        open_store(session)
        experiments = plan.make(requests, data, train, session, opens_test=test, again=again)
        _carry_out(experiments, trainer or in_turn, session)
    asked = [one for one in experiments if one.is_asked_for]
    failed = [Failure(one.title(training), error) for one in asked for training, error in one.failed.items()]
    return Outcome(tuple(one.result for one in asked if one.result), tuple(failed))


def _carry_out(experiments: Sequence[UnderWay], train: Trainer, session: Session) -> None:
    with _ended(experiments):
        for wave in plan.waves(experiments):
            train([(one, training) for one in wave for training in one.untrained])
        for one in experiments:
            for error in one.failed.values():
                one.end(error)
        whole = [one for one in experiments if one.is_whole]
        waiting = [one for one in whole if one.unscored]
        opened = open_test(waiting, session) if waiting else None
        for one in whole:
            finish(one, opened)


def in_turn(units: Sequence[Unit]) -> None:
    """Train one after the other in this process."""
    for number, (one, training) in enumerate(units, 1):
        if len(units) > 1:
            one.session.progress.fact(f"{one.title(training)}: training {number} of {len(units)}")
        try:
            one.train(training)
        except Exception as error:
            one.fail(training, error)


@contextmanager
def _ended(experiments: Sequence[UnderWay]) -> Iterator[None]:
    """The runs that are open when the block raises end with its error."""
    try:
        yield
    except BaseException as error:  # Ctrl-C and SIGTERM among them
        for one in experiments:
            one.end(error)
        raise
