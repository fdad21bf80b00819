"""What is made of what kagglehub brings: the release without its twin, or one line; its network is its own affair."""

import shutil
import sys

import pytest

from pneumobench.data.fetch import kaggle
from pneumobench.data.load import load_folder
from pneumobench.errors import DataError
from pneumobench.utils.progress import Progress

kagglehub = pytest.importorskip("kagglehub")


def test_the_release_is_put_in_place_without_its_twin(phantom_folder, dataset, tmp_path, monkeypatch):
    inside = tmp_path / "brought" / "chest_xray"
    shutil.copytree(phantom_folder, inside)
    shutil.copytree(phantom_folder, inside / "chest_xray")
    (inside / "__MACOSX").mkdir()
    monkeypatch.setattr(kagglehub, "dataset_download", lambda handle: str(tmp_path / "brought"))
    folder = kaggle.fetch(tmp_path / "data" / "chest_xray", Progress())
    assert sorted(path.name for path in folder.iterdir()) == ["test", "train"]
    assert load_folder(folder).fingerprint == dataset.fingerprint


def test_a_failure_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    def fail(handle):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(kagglehub, "dataset_download", fail)
    with pytest.raises(DataError, match=r"chest-xray-pneumonia cannot be fetched: no route to host$"):
        kaggle.fetch(tmp_path / "data" / "chest_xray", Progress())
    assert list((tmp_path / "data").iterdir()) == []


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DataError, match=r"pip install 'pneumobench\[kaggle\]'"):
        kaggle.fetch(tmp_path / "chest_xray", Progress())
