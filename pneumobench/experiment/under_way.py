"""An experiment while it is run: its open runs in the store, its models so far, and what failed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from pneumobench.errors import one_line
from pneumobench.evaluation import estimates
from pneumobench.experiment import ensemble
from pneumobench.experiment.context import Context, Training
from pneumobench.experiment.fit import Fitted, Model, Place, fit, fit_division
from pneumobench.experiment.fold_models import fold_models
from pneumobench.experiment.opening import recording_of
from pneumobench.experiment.planned import Planned
from pneumobench.experiment.recording import Record
from pneumobench.experiment.result import Result
from pneumobench.experiment.session import Session, checkpoints_of
from pneumobench.experiment.stored import ENDED_EARLY, TRAINED, Stored, held_out
from pneumobench.utils import energy


@dataclass(frozen=True)
class Begun:
    """Where one training is logged: into the experiment's run, or a child of it; of the folds, each into its own.

    `resume` is the child run of the same training that was cut off; `added_after` one that was scored before.
    """

    parent: str
    is_flat: bool
    is_resumed: bool
    folds: Mapping[int, str]
    resume: str | None
    added_after: str | None


@dataclass(eq=False)
class UnderWay:
    """One experiment of a call. `models` are those that are trained, `failed` the errors of the others.

    `is_asked_for` is False for an ensemble's member that nobody asked for.
    """

    planned: Planned
    session: Session
    is_asked_for: bool = True
    models: dict[Training, Model] = field(default_factory=dict)
    failed: dict[Training, Exception] = field(default_factory=dict)
    result: Result | None = None
    _record: Record | None = None
    _runs: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.models |= self.planned.trained

    @property
    def context(self) -> Context:
        """The experiment."""
        return self.planned.context

    @property
    def is_whole(self) -> bool:
        """Whether none of its trainings failed."""
        return not self.failed

    @property
    def is_new(self) -> bool:
        """Whether anything of it is trained or scored by this call."""
        return not self.planned.is_done

    @property
    def run_id(self) -> str:
        """The run of the whole experiment."""
        if self.is_new:
            return self.record.parent.run_id
        first = next(iter(self.planned.trained.values()))
        return first.run_id if self.planned.is_flat or first.parent is None else first.parent

    def run_of(self, training: Training) -> str:
        """The run of one training."""
        return self.record.of(training).run_id if self.is_new else self.planned.trained[training].run_id

    def title(self, training: Training) -> str:
        """A training in words, for a message about it."""
        return f"{self.context.name}, {self.context.title(training)}"

    @property
    def untrained(self) -> list[Training]:
        """Its trainings that are to be trained."""
        return [t for t in self.planned.missing if t not in self.models and t not in self.failed]

    @property
    def unscored(self) -> list[Training]:
        """Its models that the test images are opened for."""
        return [t for t, model in self.models.items() if model.test is None] if self.planned.opens_test else []

    @property
    def record(self) -> Record:
        """Its runs in the store, which are opened now if they are not."""
        if self._record is None:
            self._record = self._runs.enter_context(recording_of(self.planned, self.session))
        return self._record

    def train(self, training: Training) -> None:
        """Train one of the missing models and log it. Raises: whatever training or logging raises."""
        begun = self.begin(training)
        with self.record.training(training, resume=begun.resume, added_after=begun.added_after):
            self.models[training] = fitted(self.context, training, self.record, self.session)

    def begin(self, training: Training) -> Begun:
        """Where a training that is about to begin is logged."""
        parent = self.record.parent
        wanted = {"kind": "seed", "seed": training.seed, "split_seed": training.split_seed}
        children = [] if self.planned.is_flat else parent.store.children(parent.run_id, wanted)
        early = [run for run in children if run.info.status in ENDED_EARLY and TRAINED not in run.data.tags]
        return Begun(
            parent=parent.run_id,
            is_flat=self.planned.is_flat,
            is_resumed=parent.is_resumed,
            folds={number: run.run_id for number, run in self.record.folds.items()},
            resume=early[0].info.run_id if early else None,
            added_after=self.planned.scored_before,
        )

    def add(self, training: Training, run_id: str) -> None:
        """A training was done elsewhere, in this run."""
        store = self.session.store
        self.models[training] = stored = Stored(store, store.run(run_id), held_out(self.context))
        self.record.add(training, stored)

    def in_order(self) -> None:
        """Put the models in the order of the trainings."""
        self.models = {t: self.models[t] for t in self.planned.trainings if t in self.models}

    def fail(self, training: Training, error: Exception) -> None:
        """A training failed; the others of the experiment go on."""
        self.failed[training] = error
        if len(self.planned.trainings) > 1:
            self.session.progress.note(f"{self.title(training)} failed: {one_line(error)}")

    def end(self, error: BaseException | None = None) -> None:
        """End the runs that are open: FINISHED, or with an error FAILED, or KILLED where it interrupts."""
        if error is None:
            self._runs.close()
            return
        with suppress(BaseException):  # the first error is the one to report
            self._runs.__exit__(type(error), error, error.__traceback__)


def fitted(context: Context, training: Training, record: Record, session: Session) -> Fitted:
    """The model of one training, fitted and logged."""
    began = time.monotonic()
    with _place(context, training, record, session) as (own, place), energy.measuring() as meter:
        model = fit(own, place)
        spent = meter.metrics("training_")
        with session.clock("evaluate"):
            figures = estimates.evaluate([model.validation])
        with session.clock("track"):
            session.progress.stage("writing to the tracking store")
            record.save(training, model, figures)
            if model.predictor.seconds <= time.monotonic() - began:  # else a part of it was trained before
                record.of(training).metrics(spent)
    if place.kept:
        place.kept.remove()
    return model


def fit_fold(context: Context, training: Training, record: Record, session: Session, fold: int) -> float:
    """Train the model of one fold, numbered from 1, and keep it for `fitted`; returns the seconds of its training."""
    with _place(context, training, record, session, fold) as (own, place):
        return fit_division(own, place, fold).seconds


@contextmanager
def _place(
    context: Context, training: Training, record: Record, session: Session, fold: int | None = None
) -> Iterator[tuple[Context, Place]]:
    """The context of one training, or of one fold of it, and what it reports to and takes from trainings before."""
    own = context.at(training)
    members = ensemble.tracked(own, session.store)
    if members:
        record.of(training).tags({"members": ensemble.listed(members)})
    with checkpoints_of(own, session, fold) as checkpoints:
        yield (
            own,
            Place(
                on_epoch=record.on_epoch(training),
                trained=partial(ensemble.load, members),
                clock=session.clock,
                progress=session.progress,
                checkpoints=checkpoints,
                kept=fold_models(own, session.store.folder / "folds"),
            ),
        )
