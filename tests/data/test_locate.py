import pytest

from pneumobench.data import locate
from pneumobench.errors import DataError


def test_the_order_is_option_variable_default_phantom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawn = tmp_path / "drawn"
    monkeypatch.setattr(locate.phantom, "ensure", lambda: drawn)
    assert locate.find() == locate.Source(drawn, fallback=True)
    assert locate.find("phantom") == locate.Source(drawn)
    (tmp_path / "data" / "chest_xray").mkdir(parents=True)
    assert locate.find().root == locate.DEFAULT
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("PNEUMOBENCH_DATA", "mine")
    assert str(locate.find().root) == "mine"
    assert str(locate.find("other").root) == "other"


def test_a_variable_that_names_nothing_is_an_error_not_a_phantom(monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_DATA", "/no/such/folder")
    with pytest.raises(DataError, match="PNEUMOBENCH_DATA names /no/such/folder, which does not exist"):
        locate.find()


def test_what_a_kaggle_notebook_mounts_is_found_before_the_phantom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(locate, "MOUNTED", tmp_path / "input")
    monkeypatch.setattr(locate.phantom, "ensure", lambda: tmp_path)
    (tmp_path / "input" / "other" / "chest_xray").mkdir(parents=True)
    assert locate.find().fallback, "a folder without images to train on"
    release = tmp_path / "input" / "datasets" / "paul" / "chest-xray-pneumonia" / "chest_xray"
    for folder in ("train", "chest_xray/train"):
        (release / folder).mkdir(parents=True)
    assert locate.find() == locate.Source(release)
    (tmp_path / "data" / "chest_xray").mkdir(parents=True)
    assert locate.find().root == locate.DEFAULT
