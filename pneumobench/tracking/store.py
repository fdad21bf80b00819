"""The MLflow tracking store: created on first use under a lock; runs of dead processes are closed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from pneumobench.data.lockbox import Ledger
from pneumobench.errors import TrackingError
from pneumobench.tracking import heartbeat, moved, view
from pneumobench.tracking.importing import default_store, environment, import_mlflow
from pneumobench.utils.database import absolute, connect, hide_password, plain, sqlite_path, sqlite_url

DEFAULT_FOLDER = Path("runs")
REGISTERED, CHAMPION = "pneumobench", "champion"  # the registered model, and the alias that `predict` uses
DESCRIPTION = 5000  # characters of a version's description
PREFIX = "pneumobench: "  # of experiment names, to leave a shared server's other experiments alone


class Store:
    """An MLflow tracking store. `uri`: as given, else MLFLOW_TRACKING_URI, else `runs/mlflow.db`."""

    def __init__(self, uri: str | None = None):
        self.uri = _absolute(uri or os.environ.get("MLFLOW_TRACKING_URI") or "")

    @property
    def folder(self) -> Path:
        """The folder of a local store, else `runs`; it holds the ledger and the locks."""
        path = sqlite_path(self.uri)
        return path.parent if path else DEFAULT_FOLDER.absolute()

    @property
    def ledger(self) -> Ledger:
        """The ledger of looks at the test images by runs of this store."""
        return Ledger(self.folder)

    @property
    def artifacts(self) -> str | None:
        """Where artifacts are stored, as a URI; None where a server decides."""
        is_server = self.uri.startswith(("http://", "https://"))
        return None if is_server else (self.folder / "artifacts").as_uri()

    @property
    def exists(self) -> bool:
        """Whether the store may hold runs: False for an SQLite file that does not exist yet."""
        path = sqlite_path(self.uri)
        return path is None or path.exists()

    @cached_property
    def client(self) -> Any:
        """MLflow's client; a new SQLite store is created under a lock, as two processes at once would corrupt it."""
        mlflow = import_mlflow()
        with self.reporting_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            # otherwise MLflow's experiment 0 would store its artifacts in the caller's working directory
            root = {"_MLFLOW_SERVER_ARTIFACT_ROOT": self.artifacts} if self.artifacts else {}
            with FileLock(self.folder / "store.lock"), environment(**root), default_store(self.uri):
                connect(self.uri)
                client = mlflow.MlflowClient(self.uri)
                client.search_experiments(max_results=1)
                if path := sqlite_path(self.uri):
                    moved.follow(path, self.folder / "artifacts", PREFIX)
        return client

    def experiment(self, name: str, fingerprint: str, description: str) -> str:
        """The id of the experiment for a dataset's fingerprint, created under this name if missing."""
        from mlflow.entities import ViewType

        client = self.client
        with self.reporting_errors(), FileLock(self.folder / "store.lock"):
            wanted = f"tags.fingerprint = '{fingerprint}'"
            for experiment in client.search_experiments(ViewType.ALL, filter_string=wanted):
                if experiment.lifecycle_stage != "active":
                    client.restore_experiment(experiment.experiment_id)
                return experiment.experiment_id
            tags = {
                "fingerprint": fingerprint,
                "mlflow.note.content": description,
                # with this kind MLflow's UI opens on runs and charts, not on its tools for language models
                "mlflow.experimentKind": "custom_model_development",
            }
            return client.create_experiment(PREFIX + name, artifact_location=self.artifacts, tags=tags)

    def experiments(self) -> dict[str, str]:
        """Pneumobench's experiments, name -> id, most recently used first; each can be opened in `view`."""
        with self.reporting_errors():
            ours = self._ours()
            for experiment in ours:
                if experiment.tags.get(view.TAG) != view.STATE:
                    self.client.set_experiment_tag(experiment.experiment_id, view.TAG, view.STATE)
        ours.sort(key=lambda experiment: experiment.last_update_time or 0, reverse=True)
        return {experiment.name.removeprefix(PREFIX): experiment.experiment_id for experiment in ours}

    def close_abandoned(self) -> int:
        """End runs as KILLED whose process no longer exists or, elsewhere, sends no heartbeats; returns how many."""
        closed = 0
        with self.reporting_errors():
            for run in self._search([e.experiment_id for e in self._ours()], "attributes.status = 'RUNNING'"):
                if heartbeat.is_dead(run.data.tags):
                    self.client.set_tag(run.info.run_id, "error", "the process was killed")
                    self.client.set_terminated(run.info.run_id, "KILLED")
                    closed += 1
        return closed

    def finished(self, tags: Mapping[str, Any]) -> list[Any]:
        """Finished runs with all of these tags, the latest first."""
        return [run for run in self.tagged(tags) if run.info.status == "FINISHED"]

    def tagged(self, tags: Mapping[str, Any]) -> list[Any]:
        """Runs with all of these tags, whatever their status, the latest first."""
        with self.reporting_errors():
            return list(self._search([e.experiment_id for e in self._ours()], " and ".join(_equal(tags))))

    def children(self, parent: str, tags: Mapping[str, Any]) -> list[Any]:
        """The child runs of a run with all of these tags, whatever their status."""
        with self.reporting_errors():
            experiment = self.client.get_run(parent).info.experiment_id
            wanted = _equal({"mlflow.parentRunId": parent, **tags})
            return list(self._search([experiment], " and ".join(wanted)))

    def run(self, run_id: str) -> Any:
        """The run with this id; None where the store does not have it."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_run(run_id)
        except MlflowException:
            return None

    def set_champion(self, run: Any) -> str:
        """Register the model of a run with the alias "champion"; returns its version."""
        from mlflow.exceptions import MlflowException

        with self.reporting_errors(), default_store(self.uri):
            try:
                self.client.get_registered_model(REGISTERED)
            except MlflowException:
                self.client.create_registered_model(REGISTERED, description="Models of pneumobench")
            model_id = run.outputs.model_outputs[0].model_id
            version = self.client.create_model_version(
                REGISTERED, source=f"models:/{model_id}", run_id=run.info.run_id, model_id=model_id
            )
            self.client.set_registered_model_alias(REGISTERED, CHAMPION, version.version)
        return str(version.version)

    def versions(self, run_id: str) -> list[str]:
        """The versions of the registered model that are a run's model."""
        with self.reporting_errors(), default_store(self.uri):
            found = self.client.search_model_versions(f"name = '{REGISTERED}' and run_id = '{run_id}'")
        return [str(version.version) for version in found]

    def describe_version(self, version: str, description: str) -> None:
        """Set the description (Markdown) of a version of the registered model, cut where MLflow's column ends."""
        with self.reporting_errors(), default_store(self.uri):
            self.client.update_model_version(REGISTERED, version, description[:DESCRIPTION])

    def champion(self) -> str | None:
        """The id of the run whose model has the alias "champion"; None where no model has it."""
        from mlflow.exceptions import MlflowException

        try:
            with default_store(self.uri):
                return self.client.get_model_version_by_alias(REGISTERED, CHAMPION).run_id
        except MlflowException:
            return None

    def delete_model(self, run: Any) -> None:
        """Delete the model of a run, its files first."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with self.reporting_errors():
            for output in run.outputs.model_outputs:
                model = self.client.get_logged_model(output.model_id)
                get_artifact_repository(model.artifact_location, tracking_uri=self.uri).delete_artifacts()
                self.client.delete_logged_model(output.model_id)

    def _ours(self) -> list[Any]:
        return [experiment for experiment in self.client.search_experiments() if experiment.name.startswith(PREFIX)]

    def _search(self, experiments: list[str], wanted: str) -> Iterator[Any]:
        token = None
        while experiments:  # MLflow returns a thousand runs per page
            page = self.client.search_runs(experiments, wanted, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def file(self, run_id: str, path: str) -> Path:
        """A file of a run, downloaded where the store is remote."""
        with self.reporting_errors():
            return Path(self.client.download_artifacts(run_id, path))

    def model_folder(self, run: Any) -> Path:
        """The model folder that `Recorder.model` logged for a run, downloaded where the store is remote."""
        from mlflow.artifacts import download_artifacts
        from mlflow.models import Model
        from mlflow.utils.yaml_utils import read_yaml

        with self.reporting_errors():
            model_id = run.outputs.model_outputs[0].model_id
            with default_store(self.uri):
                folder = Path(download_artifacts(artifact_uri=f"models:/{model_id}", tracking_uri=self.uri))
            # not Model.load, which reads %41 in a path as an A
            return folder / Model.from_dict(read_yaml(str(folder), "MLmodel")).flavors["python_function"]["data"]

    @contextmanager
    def reporting_errors(self) -> Iterator[None]:
        """Errors of MLflow, the database, the network and the disk inside the block become TrackingErrors."""
        import sqlalchemy.exc

        import_mlflow()  # which sets what must be set before
        from mlflow.exceptions import MlflowException

        try:
            yield
        except (MlflowException, OSError, ImportError, sqlalchemy.exc.SQLAlchemyError) as error:
            reason = plain(error)
            raise TrackingError(f"cannot use the tracking store {hide_password(self.uri)}: {reason}") from error


def _equal(tags: Mapping[str, Any]) -> list[str]:
    """Conditions in MLflow's language, which has no escapes but two kinds of quotation marks."""
    marks = {name: '"' if "'" in str(value) else "'" for name, value in tags.items()}
    return [f"tags.`{name}` = {marks[name]}{value}{marks[name]}" for name, value in tags.items()]


def _absolute(uri: str) -> str:
    """The address with an SQLite file's path made absolute. Raises: TrackingError for MLflow's file store."""
    if not uri:
        return sqlite_url(DEFAULT_FOLDER / "mlflow.db")
    if "://" not in uri or uri.startswith("file:"):
        raise TrackingError(
            f"a tracking store is sqlite:///FILE.db, http(s)://… or a database address, not '{hide_password(uri)}' "
            "(MLflow has retired its file store)"
        )
    return absolute(uri)
