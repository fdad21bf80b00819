"""Stores whose folder was renamed or copied find their files, and write new ones beside themselves."""

import shutil

import pytest

from pneumobench.tracking.recorder import recording
from pneumobench.tracking.store import Store

pytestmark = pytest.mark.slow  # MLflow creates its tables


@pytest.fixture
def written(tmp_path, new_store):
    """A store in a folder whose name needs escaping, and a run with a file."""
    folder = tmp_path / "old folder"
    store = Store(new_store(folder / "runs"))
    return folder, _run(store, tmp_path)


def _run(store, tmp_path):
    (tmp_path / "files").mkdir(exist_ok=True)
    (tmp_path / "files" / "a.txt").write_text("here")
    experiment = store.experiment("one", "f1", "x")
    with recording(store, experiment, "run", {}) as run:
        run.artifacts(tmp_path / "files")
    return run.run_id


def _store(folder):
    return Store(f"sqlite:///{folder}/runs/mlflow.db")


def test_a_renamed_folder_is_followed_with_one_line(written, tmp_path, caplog):
    folder, run = written
    new = folder.rename(tmp_path / "new folder")
    store = _store(new)
    assert store.file(run, "a.txt").read_text() == "here"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "pneumobench"]
    assert str(folder) in line
    assert str(new) in line
    later = _run(store, tmp_path)
    assert (new / "runs" / "artifacts" / later).is_dir()
    assert not folder.exists()
    caplog.clear()
    assert _store(new).file(run, "a.txt").read_text() == "here"
    assert not caplog.records


def test_a_copy_has_its_own_files(written, tmp_path):
    folder, run = written
    shutil.copytree(folder, tmp_path / "copy")
    store = _store(tmp_path / "copy")
    assert store.client.get_run(run).info.artifact_uri.startswith((tmp_path / "copy").as_uri())
    assert store.file(run, "a.txt").read_text() == "here"
    assert (tmp_path / "copy" / "runs" / "artifacts" / _run(store, tmp_path)).is_dir()
    assert _store(folder).client.get_run(run).info.artifact_uri.startswith(folder.as_uri())


def test_a_database_copied_alone_still_finds_the_files(written, tmp_path):
    folder, run = written
    (tmp_path / "alone" / "runs").mkdir(parents=True)
    shutil.copy(folder / "runs" / "mlflow.db", tmp_path / "alone" / "runs")
    assert _store(tmp_path / "alone").file(run, "a.txt").read_text() == "here"


def test_a_link_to_the_folder_changes_nothing(written, tmp_path, caplog):
    folder, run = written
    (tmp_path / "link").symlink_to(folder)
    assert _store(tmp_path / "link").file(run, "a.txt").read_text() == "here"
    assert not caplog.records
