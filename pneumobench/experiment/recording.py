"""What an experiment logs to MLflow: one flat run, or a parent run with a child run per seed or fold."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pneumobench.data import seen
from pneumobench.errors import TrackingError
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment import plots
from pneumobench.experiment.context import Context, Training
from pneumobench.experiment.fit import UNCALIBRATED, Fitted
from pneumobench.experiment.logged import describe, entries, how_logged, log_model, measured, write_source
from pneumobench.experiment.result import Result
from pneumobench.experiment.stored import TRAINED, Stored
from pneumobench.tracking import kept
from pneumobench.tracking.history import History
from pneumobench.tracking.kept import Parcel
from pneumobench.tracking.recorder import Recorder, recording
from pneumobench.utils import provenance
from pneumobench.utils.jsonable import to_json
from pneumobench.utils.progress import Epoch
from pneumobench.utils.timing import Clock

Figures = Mapping[str, Mapping[str, Estimate]]  # by part of the split, then by metric


class Record:
    """A running experiment: its MLflow run, and a child run for each of several trainings or for each fold.

    `known` are its trainings that are in the store. `clock` measures the time for plots.
    """

    def __init__(
        self,
        context: Context,
        parent: Recorder,
        *,
        folds: Mapping[int, Recorder] | None = None,
        known: Mapping[Training, Stored] | None = None,
        is_flat: bool = True,
        clock: Clock,
    ):
        self._context, self.parent, self.folds, self._clock = context, parent, folds or {}, clock
        self._is_flat = is_flat
        self._history: dict[str, list[Epoch]] = {}
        self._logs: list[History] = []
        self._children: dict[Training, Recorder] = {}
        self._models: dict[Training, str] = {}
        for training, stored in (known or {}).items():
            self.add(training, stored)

    @property
    def is_several(self) -> bool:
        """Whether the experiment's run is the parent of its trainings' runs."""
        return not self._is_flat

    def of(self, training: Training) -> Recorder:
        """The run of one training: a child run where there are several, else the experiment's run."""
        return self.parent if self._is_flat else self._children[training]

    @contextmanager
    def training(
        self, training: Training, *, resume: str | None = None, added_after: str | None = None
    ) -> Iterator[None]:
        """The run of a training while the block runs: a child run that ends with it, or the experiment's.

        `resume` is the run of the same training that was cut off; `added_after` one that was scored before.
        """
        own = self._context.at(training)
        marked = {"added_after": added_after} if added_after else {}
        if self._is_flat:
            self.parent.tags(marked)
            yield
            return
        tags = own.tags() | {"kind": "seed", "seed": training.seed} | marked
        title = f"{own.name}, {self._context.title(training)}"
        with recording(self.parent.store, self.parent.experiment, title, tags, self.parent.run_id, resume) as run:
            self._children[training] = run
            describe(run, own)
            yield

    def add(self, training: Training, stored: Stored) -> None:
        """A training that was done elsewhere, in its own run."""
        if not self._is_flat:
            self._children[training] = Recorder(self.parent.store, stored.run_id)
        self._models[training] = stored.run.outputs.model_outputs[0].model_id

    def remember(self, training: Training, epoch: Epoch, fold: int | None = None) -> None:
        """An epoch of such a training, or of one of its folds, for the plots."""
        self._history.setdefault(f"fold {fold}" if fold else self._context.title(training), []).append(epoch)

    def on_epoch(self, training: Training) -> Callable[[int], Callable[[Epoch], None]]:
        """A function that takes a fold's number and returns a callback that logs each epoch of its training."""

        def of_fold(fold: int) -> Callable[[Epoch], None]:
            name = f"fold {fold}" if self.folds else self._context.title(training)
            history = self._history.setdefault(name, [])
            run = self.folds[fold] if self.folds else self.of(training)
            logged = run.steps("loss") if run.is_resumed else set()
            self._logs.append(log_of := History(run))

            def log(epoch: Epoch) -> None:
                history.append(epoch)
                if epoch.number not in logged:
                    log_of.add(epoch.number, epoch.metrics())

            return log

        return of_fold

    def tags(self, values: Mapping[str, Any]) -> None:
        """Set tags on every run of the experiment."""
        for run in (self.parent, *self.folds.values(), *self._children.values()):
            run.tags(values)

    def looked(self, trainings: Sequence[Training], looks: int) -> None:
        """So many looks at the test images came before the one that scores these trainings."""
        for run in {one.run_id: one for one in (self.parent, *map(self.of, trainings))}.values():
            run.tags({"looks": looks})

    def save(self, training: Training, fitted: Fitted, figures: Mapping[str, Estimate]) -> None:
        """Log a training's model, the plugin's source code, and the predictions and metrics on validation.

        They stay, whatever fails later with another training or with the test images.
        Raises: TrackingError where the store does not answer; the model and its predictions are then kept on disk.
        """
        try:
            for log in self._logs:
                log.write()
            self._save(training, fitted, figures)
        except TrackingError as error:
            raise TrackingError(f"{error}; {self._kept(training, fitted, figures)}") from error

    def _save(self, training: Training, fitted: Fitted, figures: Mapping[str, Estimate]) -> None:
        run, predictor = self.of(training), fitted.predictor
        with tempfile.TemporaryDirectory() as folder:
            self._write(Path(folder), training, fitted)
            run.artifacts(Path(folder))
        self._models[training] = log_model(run, fitted)
        run.metrics(measured(fitted), model_id=self._models[training])
        run.metrics(entries("validation", figures), model_id=self._models[training], dataset=self._context.input)
        run.tags({"precision": predictor.precision, "parameters": predictor.parameters, TRAINED: provenance.now()})
        run.complete = run is not self.parent

    def _write(self, files: Path, training: Training, fitted: Fitted) -> None:
        """The files of a trained model's run: predictions on validation, development images, the plugin's source."""
        fitted.validation.write(files / "predictions" / "validation.parquet")
        if fitted.calibrator is not None:
            fitted.uncalibrated.write(files / "predictions" / f"validation{UNCALIBRATED}.parquet")
        seen.write(self._context.at(training).images.development, files / seen.FILE)
        write_source(files / "plugin", self._context)

    def _kept(self, training: Training, fitted: Fitted, figures: Mapping[str, Estimate]) -> str:
        """Keep a training where the store's failure does not reach; says where, and how to send it."""
        run, predictor = self.of(training), fitted.predictor
        parcel = Parcel(
            tags={"precision": predictor.precision, "parameters": predictor.parameters, TRAINED: provenance.now()},
            metrics=measured(fitted) | entries("validation", figures),
            dataset=self._context.input,
            epochs=[epoch for log in self._logs if log.run is run for epoch in log.waiting],
            model=how_logged(fitted),
        )

        def fill(files: Path, model: Path) -> None:
            self._write(files, training, fitted)
            predictor.save(model, threshold=fitted.validation.operating.threshold)

        for log in self._logs:
            if log.run is not run and log.waiting:  # a fold's
                kept.keep(log.run, Parcel(epochs=log.waiting), lambda files, model: None)
        folder = kept.keep(run, parcel, fill)
        return (
            f"run {run.run_id[:8]} is incomplete, and the test images stayed closed: its model, its predictions on "
            f"validation and {len(parcel.epochs)} epochs are kept in {folder}; {kept.HOW}"
        )

    def score(
        self,
        training: Training,
        test: Predictions | None,
        uncalibrated: Predictions | None,
        figures: Mapping[str, Estimate] | None,
    ) -> None:
        """Log a training's plots and, where the test images were opened, its predictions and metrics on them."""
        run, name = self.of(training), self._context.title(training)
        history = self._history if self.folds else {name: self._history.get(name, [])}
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder)
            if test is not None:
                test.write(files / "predictions" / "test.parquet")
            if uncalibrated is not None:
                uncalibrated.write(files / "predictions" / f"test{UNCALIBRATED}.parquet")
            with self._clock("plots"):
                plots.save_all(files / "plots", self._title(name), {name: test} if test else {}, history)
            try:
                run.artifacts(files)
                if figures is not None:
                    run.metrics(entries("test", figures), model_id=self._models[training], dataset=self._context.input)
            except TrackingError as error:
                parcel = Parcel(metrics=entries("test", figures or {}), dataset=self._context.input)
                folder_of = kept.keep(run, parcel, lambda to, _: shutil.copytree(files, to, dirs_exist_ok=True))
                raise TrackingError(
                    f"{error}; run {run.run_id[:8]} is incomplete: the predictions on the test images are kept in "
                    f"{folder_of}; {kept.HOW}"
                ) from error

    def finish_fold(self, number: int, held_out: Predictions, figures: Mapping[str, Estimate]) -> None:
        """Log the predictions and metrics of a fold's model on its held-out images."""
        run = self.folds[number]
        with tempfile.TemporaryDirectory() as folder:
            held_out.write(Path(folder) / "predictions" / "validation.parquet")
            run.artifacts(Path(folder))
        run.metrics(entries("validation", figures), dataset=self._context.input)

    def finish(self, result: Result, figures: Figures, scored: Mapping[Training, Predictions]) -> None:
        """Log the whole result, and for several seeds their means and joint plots, to the experiment's run."""
        count = len(result.runs)
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder)
            (files / "result.json").write_text(json.dumps(to_json(result), indent=2))
            if self.is_several:
                named = {self._context.title(training): p for training, p in scored.items()}
                with self._clock("plots"):
                    plots.save_all(files / "plots", self._title(f"{count} trainings"), named, self._history)
                write_source(files / "plugin", self._context)
            self.parent.artifacts(files)
        for part, estimates in figures.items() if self.is_several else ():
            self.parent.metrics(entries(part, estimates), dataset=self._context.input)
        self.parent.metrics({f"seconds_{phase}": value for phase, value in result.seconds.items()})

    def _title(self, what: str) -> str:
        return f"{self._context.name} on {self._context.images.dataset.name}, {what}"
