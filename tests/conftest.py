"""Tiny phantoms, a cache and a store of their own for every session; quick tests run before slow ones."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pneumobench.data.dataset import Dataset
from pneumobench.data.layouts import phantom
from pneumobench.data.layouts.phantom import Phantom
from pneumobench.data.load import load_folder
from pneumobench.tracking.store import Store

TINY = Phantom(train=(24, 72), test=(16, 24), size=48)
EXAMPLES = Path(__file__).parent / "example_plugins"
STUDIES = Path(__file__).parent / "example_studies"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: trains, starts processes, or simulates for long; runs after all others")
    # also while tests are collected, where some are made for each plugin
    os.environ.update(PNEUMOBENCH_PLUGINS=str(EXAMPLES), PNEUMOBENCH_STUDIES=str(STUDIES))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, on whichever process is free; then slow ones that share a fixture of their module, which one
    process runs together; then the other slow ones, each on whichever process is free, so that both end together."""
    order = {}
    for item in items:
        is_slow = item.get_closest_marker("slow") is not None
        is_shared = is_slow and _shares_with_its_module(item)
        if is_shared:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
        order[item] = (is_slow, not is_shared)
    items.sort(key=order.__getitem__)


def _shares_with_its_module(item: pytest.Item) -> bool:
    """Whether a test uses a fixture that its module defines for all of its tests, such as a training or a server."""
    fixtures = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    module = item.nodeid.partition("::")[0]
    return any(last.scope == "module" and last.baseid.startswith(module) for *_, last in fixtures.values())


@pytest.fixture(autouse=True, scope="session")
def _own_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's cache, data and tracking store stay out of reach; plugins and studies do by `pytest_configure`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PNEUMOBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name in ("PNEUMOBENCH_DATA", "MLFLOW_TRACKING_URI", "PNEUMOBENCH_DEBUG", "PNEUMOBENCH_STORAGE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def _unsynchronized_sqlite() -> Iterator[None]:
    """This process's SQLite commits wait for no disk: none of the tests cuts the power."""
    import sqlalchemy

    def connected(connection: Any, record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("pragma synchronous = off")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", connected)
    yield
    sqlalchemy.event.remove(sqlalchemy.Engine, "connect", connected)


@pytest.fixture(scope="session")
def phantom_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom of 136 images; not to be changed."""
    return phantom.ensure(TINY, tmp_path_factory.mktemp("phantoms"))


@pytest.fixture(scope="session")
def dataset(phantom_folder: Path) -> Dataset:
    """The phantom's images as arrays and paths."""
    return load_folder(phantom_folder)


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[Path], str]:
    """Puts an empty tracking store into a folder and gives its address.

    It is a copy: MLflow needs 4 s of a core to make one, and the tests use dozens. tests/tracking/test_store.py and
    the command line's tests in processes of their own make theirs where there was none.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "empty-store"
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            assert Store(f"sqlite:///{folder}/mlflow.db").client
            (folder / "made").touch()

    def put(place: Path) -> str:
        if (place / "mlflow.db").exists():  # of another call: two users of one store
            return f"sqlite:///{place}/mlflow.db"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "mlflow.db", place)
        with closing(sqlite3.connect(place / "mlflow.db")) as database, database:
            moved = "update experiments set artifact_location = replace(artifact_location, ?, ?)"
            database.execute(moved, (str(folder), str(place)))
        return f"sqlite:///{place}/mlflow.db"

    return put


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, new_store: Callable[[Path], str]) -> Store:
    """A tracking store that the tests of one module share."""
    return Store(new_store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def copy(phantom_folder: Path, tmp_path: Path) -> Path:
    """A copy of the phantom that a test may change."""
    return Path(shutil.copytree(phantom_folder, tmp_path / "xrays"))


@pytest.fixture
def pneumobench(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process and a folder of its own."""

    def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pneumobench", *arguments],
            cwd=cwd,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


@pytest.fixture
def cli(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The same in this process, where the heavy imports are made but once; what trains finds an empty store."""
    from pneumobench.cli import main

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        if arguments[:1] in (("run",), ("study",)) and not (tmp_path / "runs").exists():
            request.getfixturevalue("new_store")(tmp_path / "runs")
        terminated = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            # what the options set in the environment is taken back with the patch
            for name in ("PNEUMOBENCH_PLUGINS", "PNEUMOBENCH_DEBUG"):
                patch.setenv(name, environment.get(name, os.environ.get(name, "")))
            patch.setattr(sys, "argv", ["pneumobench", *arguments])
            capfd.readouterr()
            try:
                main()
            except SystemExit as left:
                code = left.code
            finally:
                signal.signal(signal.SIGTERM, terminated)
        return subprocess.CompletedProcess(arguments, int(code or 0), *capfd.readouterr())

    return run


@pytest.fixture
def run() -> Callable[..., Any]:
    """Makes tracked trainings of tags alone, without a store: `run(number, seed=…, split_seed=…, looks=…, **tags)`."""
    from pneumobench.tracking.runs import TrackedRun

    def make(
        number: int,
        seed: int = 0,
        split_seed: int = 0,
        looks: int | None = 0,
        started: str | None = None,
        parent: str | None = None,
        **tags: str,
    ) -> TrackedRun:
        usual = {"plugin": "a", "split": "patient", "split_digest": f"d{split_seed}", "precision": "float32"}
        usual |= {"seed": str(seed), "split_seed": str(split_seed), "git_commit": "1234567890", "versions": "keras 3"}
        return TrackedRun(
            run_id=f"run{number}",
            parent=parent or f"run{number}",
            started=started or f"2026-01-01T00:{number:02}:00+00:00",
            tags=usual | tags,
            params={},
            metrics={"training_seconds": 10.0},
            looks=looks,
            file=lambda part: None,
        )

    return make
