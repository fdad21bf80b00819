"""MLflow, imported on first use, as the import takes seconds; and how the user's own use of it is left alone."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from pneumobench.utils.database import SQLITE, sqlite_path

LOGGERS = ("mlflow", "alembic")
# beginnings of the variables that this package, MLflow and Keras' backends set for themselves
OURS = ("MLFLOW_", "GIT_PYTHON_", "TF_", "XLA_", "NO_ALBUMENTATIONS_")


def import_mlflow() -> Any:
    """The mlflow module, configured for no telemetry, little logging and few retries."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    warnings.filterwarnings("ignore", module="mlflow")
    warnings.filterwarnings("ignore", message="IProgress not found")  # tqdm's, which draws nothing for us
    import mlflow

    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


@contextmanager
def default_store(uri: str) -> Iterator[None]:
    """While the block runs, `uri` is MLflow's default, for its functions that take no client; then the user's again."""
    import_mlflow()
    from mlflow.tracking._tracking_service.utils import _use_tracking_uri

    # MLflow sets the variable too, and removes it where no default had been set
    variable = os.environ.get("MLFLOW_TRACKING_URI")
    with environment(MLFLOW_TRACKING_URI=variable), _use_tracking_uri(uri), _without_strays(uri):
        yield


@contextmanager
def _without_strays(uri: str) -> Iterator[None]:
    """Remove the folders that MLflow makes where it takes an SQLite file's address for its path, % signs and all."""
    path = sqlite_path(uri)
    written = Path(uri.removeprefix(SQLITE))
    strays = [] if path in (None, written) else [folder for folder in written.parents if not folder.exists()]
    try:
        yield
    finally:
        with suppress(OSError):
            for folder in strays:
                folder.rmdir()


@contextmanager
def without_requirements_check() -> Iterator[None]:
    """While the block runs, MLflow logs a model without reading which modules every installed package has.

    That takes longer than all else of the logging, for a warning that our loggers drop: the requirements are read from
    this very environment.
    """
    from mlflow.utils import environment as module

    name = "warn_dependency_requirement_mismatches"
    check = getattr(module, name, None)
    if check is None:  # another release of MLflow
        yield
        return
    setattr(module, name, lambda requirements: None)
    try:
        yield
    finally:
        setattr(module, name, check)


@contextmanager
def as_guest() -> Iterator[None]:
    """What a notebook or script set for itself is not used for our trainings, and is as it was after the block.

    Autologging, which would write our trainings into the user's active run, pauses; environment variables, levels of
    loggers and filters of warnings are restored.
    """
    before = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    with ExitStack() as until_the_end, warnings.catch_warnings():
        if "mlflow" in sys.modules:  # otherwise nobody has switched autologging on
            from mlflow.utils import autologging_utils

            if not autologging_utils._AUTOLOGGING_GLOBALLY_DISABLED:
                until_the_end.enter_context(autologging_utils.disable_autologging())
        try:
            yield
        finally:
            _set({name: before.get(name) for name in {*before, *os.environ} if name.startswith(OURS)})
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


@contextmanager
def environment(**values: str | None) -> Iterator[None]:
    """Set environment variables for the length of a block (None unsets one), and restore them after it."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
