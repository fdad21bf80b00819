"""Opens an experiment's runs in the store: new ones, or those of an earlier call that this one completes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pneumobench.experiment.logged import describe
from pneumobench.experiment.planned import Planned
from pneumobench.experiment.recording import Record
from pneumobench.experiment.session import Session
from pneumobench.experiment.stored import Stored
from pneumobench.tracking.recorder import Recorder, recording


@contextmanager
def recording_of(planned: Planned, session: Session) -> Iterator[Record]:
    """The experiment's run and those of its folds, which are ended even if the block raises.

    A run that was cut off, or that holds other trainings of the experiment, is resumed.
    """
    context, store, trainings = planned.context, session.store, planned.trainings
    experiment = store.experiment(context.experiment, context.images.dataset.fingerprint, context.description)
    name, common = context.name, context.tags()
    seeds, divisions = ([*dict.fromkeys(one[i] for one in trainings)] for i in (0, 1))
    listed = ",".join(map(str, seeds))
    folds = range(1, len(context.images.folds) + 1)
    if folds:
        title, kind = f"{name}, {len(folds)} folds", {"kind": "folds", "seed": listed}
    elif planned.is_flat:
        title, kind = f"{name}, seed {listed}", {"kind": "run", "seed": listed}
    else:
        title, kind = f"{name}, {len(seeds)} seeds", {"kind": "seeds", "seeds": listed}
        if len(divisions) > 1:
            kind |= {"split_seed": ",".join(map(str, divisions))}
            title += f" on {len(divisions)} divisions"
    with ExitStack() as open_runs:
        parent = open_runs.enter_context(recording(store, experiment, title, common | kind, resume=planned.resumed))
        if trainings == context.trainings:  # else it says how its first trainings were started
            describe(parent, context)
        runs = {}
        for number in folds:
            tags = common | {"kind": "fold", "fold": number, "seed": listed}
            of_fold = planned.fold_runs.get(number)
            child = recording(store, experiment, f"{name}, fold {number}", tags, parent=parent.run_id, resume=of_fold)
            runs[number] = open_runs.enter_context(child)
            describe(runs[number], context)
        if not planned.is_flat:
            for one in planned.trained.values():
                _adopt(one, parent)
        record = Record(
            context, parent, folds=runs, known=planned.trained, is_flat=planned.is_flat, clock=session.clock
        )
        parent.complete = planned.is_flat and bool(planned.trained)  # what fails then is no fault of this run
        yield record


def _adopt(one: Stored, parent: Recorder) -> None:
    """Make a training's run a child of the experiment's, finished: its process may have been killed just before."""
    run = Recorder(one.store, one.run_id)
    if one.parent is None:
        run.tags({"mlflow.parentRunId": parent.run_id, "kind": "seed"})
    if one.run.info.status != "FINISHED":
        run.finish()
