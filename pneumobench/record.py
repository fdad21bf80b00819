"""What of an experiment goes to MLflow, under which names: one flat run, or a parent and a child a seed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench import provenance
from pneumobench.about import About
from pneumobench.clock import Clock
from pneumobench.evidence import plots
from pneumobench.evidence.evaluation import Estimate, Predictions
from pneumobench.knobs import hooks
from pneumobench.progress import Epoch
from pneumobench.tracking.recorder import Recorder, recording
from pneumobench.tracking.store import Store
from pneumobench.training.predictor import Predictor


class Record:
    """An experiment under way: `runs` holds each seed's run, `parent` the one that names the experiment."""

    def __init__(self, about: About, parent: Recorder, runs: Mapping[int, Recorder], clock: Clock):
        self._about, self.parent, self.runs, self._clock = about, parent, runs, clock
        self._history: dict[int, list[Epoch]] = {seed: [] for seed in runs}

    def on_epoch(self, seed: int) -> Callable[[Epoch], None]:
        """A callback that logs each epoch of a seed's training."""

        def log(epoch: Epoch) -> None:
            self._history[seed].append(epoch)
            self.runs[seed].metrics(epoch.metrics(), step=epoch.number)

        return log

    def tags(self, values: Mapping[str, Any]) -> None:
        """Tags for every run of the experiment."""
        for run in {self.parent, *self.runs.values()}:
            run.tags(values)

    def finish_seed(
        self,
        seed: int,
        predictor: Predictor,
        predictions: Mapping[str, Predictions],
        figures: Mapping[str, Mapping[str, Estimate]],
    ) -> None:
        """Log a training's model, figures, per-image predictions, plots and source, by part of the split."""
        run = self.runs[seed]
        operating = predictions["validation"].operating
        with tempfile.TemporaryDirectory() as folder:
            files, saved = Path(folder) / "files", Path(folder) / "model"
            for part, p in predictions.items():
                write_predictions(files / "predictions" / f"{part}.parquet", p)
            scored = {seed: predictions["test"]} if "test" in predictions else {}
            with self._clock("plots"):
                plots.save_all(files / "plots", self._title(f"seed {seed}"), scored, {seed: self._history[seed]})
            _write_source(files / "plugin", self._about)
            run.artifacts(files)
            predictor.save(saved, plugin_module=self._about.entry.importable, threshold=operating.threshold)
            model_id = run.model(
                saved,
                shape=predictor.view.shape,
                requirements=[f"{name}=={number}" for name, number in provenance.versions().items()],
                kind="keras" if predictor.is_network else "sklearn",
            )
        run.tags({"precision": predictor.precision, "parameters": predictor.parameters})
        measured = {
            "threshold": operating.threshold,
            "threshold_ties": operating.ties,
            "training_images_per_second": predictor.images_per_second,
            "training_seconds": predictor.seconds,
        }
        run.metrics(measured, model_id=model_id)
        for part, estimates in figures.items():
            run.metrics(_named(part, estimates), model_id=model_id, dataset=self._about.input)

    def finish(
        self,
        figures: Mapping[str, Mapping[str, Estimate]],
        scored: Mapping[int, Predictions],
        result: Mapping[str, Any],
    ) -> None:
        """Log the whole result, and for several seeds their means and common plots, to the parent."""
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder)
            (files / "result.json").write_text(json.dumps(result, indent=2))
            if len(self.runs) > 1:
                with self._clock("plots"):
                    plots.save_all(files / "plots", self._title(f"{len(self.runs)} seeds"), scored, self._history)
                _write_source(files / "plugin", self._about)
            self.parent.artifacts(files)
        for part, estimates in figures.items() if len(self.runs) > 1 else ():
            self.parent.metrics(_named(part, estimates), dataset=self._about.input)
        self.parent.metrics({f"seconds_{phase}": value for phase, value in result["seconds"].items()})

    def _title(self, what: str) -> str:
        return f"{self._about.name} on {self._about.images.dataset.name}, {what}"


@contextmanager
def recording_of(about: About, store: Store, seeds: Sequence[int], clock: Clock) -> Iterator[Record]:
    """The experiment's run, or runs; all are ended whatever happens inside.

    The clock's phases `plots` and `track` grow by what drawing and writing take.
    """
    experiment = store.experiment(about.experiment, about.images.dataset.fingerprint, about.description)
    name, common = about.name, about.tags()
    with ExitStack() as open_runs:
        several = len(seeds) > 1
        title = f"{name}, {len(seeds)} seeds" if several else f"{name}, seed {seeds[0]}"
        listed = ",".join(map(str, seeds))
        tags = {**common, "kind": "seeds", "seeds": listed} if several else {**common, "kind": "run", "seed": listed}
        parent = open_runs.enter_context(recording(store, experiment, title, tags))
        _describe(parent, about)
        runs = {}
        for seed in seeds:
            if several:
                own = {**common, "kind": "seed", "seed": seed}
                child = recording(store, experiment, f"{name}, seed {seed}", own, parent=parent.run_id)
                runs[seed] = open_runs.enter_context(child)
                _describe(runs[seed], about)
            else:
                runs[seed] = parent
        yield Record(about, parent, runs, clock)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """One row an image: path, patient, subtype, hash, label, probability, decision at the threshold."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = predictions.part.dataset
    table = pa.table(
        {
            "image": data.paths.astype(str),
            "patient": data.patients.astype(str),
            "subtype": data.subtypes.astype(str),
            "hash": data.hashes.astype(str),
            "label": data.labels,
            "probability": predictions.probabilities,
            "predicted": (predictions.probabilities >= predictions.operating.threshold).astype(np.int8),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def _describe(run: Recorder, about: About) -> None:
    run.params(about.parameters)
    run.dataset(about.input, "training")


def _named(part: str, estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """`test_auroc`, `test_auroc_low`, `test_auroc_high`, and `test_auroc_sd` where there are seeds."""
    found: dict[str, float] = {}
    for metric, estimate in estimates.items():
        name = f"{part}_{metric}"
        found |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        if estimate.sd is not None:
            found[f"{name}_sd"] = estimate.sd
    return found


def _write_source(folder: Path, about: About) -> None:
    """The plugin's file, and which function stands behind each hook."""
    folder.mkdir(parents=True)
    if about.entry.path:
        shutil.copy(about.entry.path, folder / about.entry.path.name)
    names = {field: f"{hook.__module__}.{hook.__qualname__}" for field, hook in hooks(about.plugin).items()}
    (folder / "hooks.json").write_text(json.dumps(names, indent=2))
