"""One MLflow run, from its first tag to its final status: FINISHED, FAILED or KILLED, never left RUNNING."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pneumobench.errors import one_line
from pneumobench.tracking import heartbeat
from pneumobench.tracking.importing import default_store, without_requirements_check
from pneumobench.tracking.store import Store
from pneumobench.utils import provenance
from pneumobench.utils.provenance import redact

BATCH = 1000  # MLflow's limit of metrics per request
TEXT = 5000  # and of characters per tag


@dataclass(frozen=True)
class DatasetInput:
    """What MLflow shows as the dataset of a run: name, fingerprint as digest, location, image counts."""

    name: str
    digest: str
    location: str
    profile: Mapping[str, Any]


class Recorder:
    """Writes to one run of a store. Once `complete` is set, a later error no longer marks this run as failed.

    `is_resumed`: it was begun by an earlier process.
    """

    def __init__(self, store: Store, run_id: str):
        self._store, self._client, self.run_id = store, store.client, run_id
        self.complete = self.is_resumed = False

    @property
    def store(self) -> Store:
        """The store that holds the run."""
        return self._store

    @property
    def experiment(self) -> str:
        """The id of the experiment that the run is in."""
        with self._store.reporting_errors():
            return str(self._client.get_run(self.run_id).info.experiment_id)

    def finish(self) -> None:
        """End a run whose process did not."""
        with self._store.reporting_errors():
            if "error" in self._client.get_run(self.run_id).data.tags:
                self._client.delete_tag(self.run_id, "error")
            self._client.set_terminated(self.run_id, "FINISHED")

    @property
    def kept(self) -> Path:
        """A folder on this machine for what the store does not take."""
        return self._store.folder / "kept" / self.run_id

    def params(self, values: Mapping[str, Any]) -> None:
        """Log hyperparameters as MLflow params, which its parallel-coordinates plot needs."""
        from mlflow.entities import Param

        self._batch(params=[Param(k, str(v)) for k, v in values.items()])

    def tags(self, values: Mapping[str, Any]) -> None:
        """Set tags of the run."""
        from mlflow.entities import RunTag

        tags = [RunTag(key, redact(str(value))[:TEXT]) for key, value in values.items()]
        self._batch(tags=tags)

    def metrics(
        self,
        values: Mapping[str, float],
        *,
        step: int = 0,
        model_id: str | None = None,
        dataset: DatasetInput | None = None,
    ) -> None:
        """Log metrics of one step in one call, without undefined ones (NaN), which the store cannot hold."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        on_dataset = {"dataset_name": dataset.name, "dataset_digest": dataset.digest} if dataset else {}
        entities = [
            Metric(key, float(value), now, step, model_id=model_id, **on_dataset)
            for key, value in values.items()
            if value == value
        ]
        self._send(entities)

    def history(self, steps: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Log metrics of several steps, each (number, metrics), in one call."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._send([Metric(k, float(v), now, step) for step, values in steps for k, v in values.items() if v == v])

    def steps(self, metric: str) -> set[int]:
        """The steps of which the store holds a metric."""
        with self._store.reporting_errors():
            return {one.step for one in self._client.get_metric_history(self.run_id, metric)}

    def _send(self, metrics: list[Any]) -> None:
        for start in range(0, len(metrics), BATCH):
            self._batch(metrics=metrics[start : start + BATCH])

    def _batch(self, **values: list[Any]) -> None:
        with self._store.reporting_errors():
            self._client.log_batch(self.run_id, **values)

    def dataset(self, dataset: DatasetInput, context: str) -> None:
        """Log the dataset that the run used, for "training" or "testing"."""
        from mlflow import entities

        entity = entities.Dataset(
            name=dataset.name,
            digest=dataset.digest,
            source_type="local",
            source=json.dumps({"uri": dataset.location}),
            profile=json.dumps(dict(dataset.profile)),
        )
        tags = [entities.InputTag("mlflow.data.context", context)]
        with self._store.reporting_errors():
            self._client.log_inputs(self.run_id, datasets=[entities.DatasetInput(entity, tags)])

    def artifacts(self, folder: Path) -> None:
        """Log all files of a folder, under their paths relative to it."""
        with self._store.reporting_errors():
            self._client.log_artifacts(self.run_id, str(folder))

    def model(self, folder: Path, *, shape: tuple[int, ...], requirements: list[str], kind: str) -> str:
        """Log the model in a folder as a LoggedModel of this run; returns its id. `shape` is that of one image."""
        import mlflow.pyfunc
        import numpy as np
        from mlflow.models import Model, ModelSignature
        from mlflow.types.schema import Schema, TensorSpec

        # unnamed tensors: MLflow passes named ones to the model as a dict
        signature = ModelSignature(
            inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, *shape))]),
            outputs=Schema([TensorSpec(np.dtype(np.float64), (-1,))]),
        )
        with self._store.reporting_errors(), default_store(self._store.uri), without_requirements_check():
            # created here, as MLflow would put the model of a run that is not its "active" run into experiment 0
            run = self._client.get_run(self.run_id)
            model = self._client.create_logged_model(
                run.info.experiment_id, "model", self.run_id, params=run.data.params, model_type=kind
            )
            Model.log(
                None,
                mlflow.pyfunc,
                name="model",
                run_id=self.run_id,
                model_id=model.model_id,
                loader_module="pneumobench.training.pyfunc",
                data_path=str(folder),
                signature=signature,
                pip_requirements=requirements,
            )
            return model.model_id


@contextmanager
def recording(
    store: Store,
    experiment: str,
    name: str,
    tags: Mapping[str, Any],
    parent: str | None = None,
    resume: str | None = None,
) -> Iterator[Recorder]:
    """A run that ends FINISHED, KILLED on an interrupt, or FAILED with the error in a tag.

    A run that is `complete` ends FINISHED in any case. `resume` is the id of a run to resume.
    """
    # MLflow shows only what follows the last slash of the source name: of a path in the command, only its end
    source = " ".join(provenance.command().split()[:3])
    system_tags = {"mlflow.user": provenance.user(), "mlflow.source.name": source}
    system_tags |= {"mlflow.parentRunId": parent} if parent else {}
    all_tags = {**tags, **provenance.process(), **heartbeat.first(), **system_tags}
    texts = {key: redact(str(value))[:TEXT] for key, value in all_tags.items()}
    if resume:
        store.client.update_run(resume, status="RUNNING")
        if "error" in store.client.get_run(resume).data.tags:
            store.client.delete_tag(resume, "error")
        recorder = Recorder(store, resume)
        recorder.is_resumed = True
        recorder.tags(texts)
    else:
        run = store.client.create_run(experiment, run_name=name, tags=texts)
        recorder = Recorder(store, run.info.run_id)
    try:
        with heartbeat.beating(store.client, recorder.run_id):
            yield recorder
    except BaseException as error:  # Ctrl-C and SIGTERM among them
        failed = isinstance(error, Exception)
        with suppress(Exception):  # the first error is the one to report
            if recorder.complete:
                store.client.set_terminated(recorder.run_id, "FINISHED")
            else:
                store.client.set_terminated(recorder.run_id, "FAILED" if failed else "KILLED")
                recorder.tags({"error": one_line(error) if failed else "interrupted"})
        raise
    store.client.set_terminated(recorder.run_id, "FINISHED")
