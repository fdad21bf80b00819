"""Files and folders are written whole or not at all."""

import os

import pytest

from pneumobench.errors import UsageError
from pneumobench.utils.files import BUILDING, destination, unstored, whole_file, whole_folder, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half_and_raise(path, fault):
    path.write_text("half")
    raise fault


def test_a_text_file_and_its_folder_are_written(tmp_path):
    path = write_text(tmp_path / "new" / "a.txt", "é\n")
    assert path.read_bytes() == "é\n".encode()
    assert names(path.parent) == ["a.txt"]


def test_what_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(UsageError, match=r"cannot write .*a\.txt: No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_in_its_place_is_one_line(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write_text(tmp_path / "a.txt", "new")
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_a_file_that_was_not_finished_leaves_nothing(tmp_path, fault):
    (tmp_path / "a").write_text("old")
    with pytest.raises(fault), whole_file(tmp_path / "a") as building:
        write_half_and_raise(building, fault)
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_a_folder_that_was_not_finished_leaves_what_was_there(tmp_path, fault):
    target = tmp_path / "deep" / "a"
    target.mkdir(parents=True)
    (target / "old").touch()
    with pytest.raises(fault), whole_folder(target) as building:
        write_half_and_raise(building / "half", fault)
    assert names(target) == ["old"]
    assert names(target.parent) == ["a"]


def test_a_folder_is_replaced_whole_and_what_a_killed_process_left_is_not_in_it(tmp_path):
    target = tmp_path / "a"
    target.mkdir()
    (target / "old").touch()
    (tmp_path / f".a{BUILDING}").mkdir()
    (tmp_path / f".a{BUILDING}" / "left").touch()
    with whole_folder(target) as building:
        assert destination(building) == target
        (building / "new").touch()
        assert names(target) == ["old"]
    assert names(target) == ["new"]
    assert names(tmp_path) == ["a"]


def test_a_folder_that_came_up_meanwhile_is_not_replaced_unless_asked_for(tmp_path):
    target = tmp_path / "a"
    target.mkdir()  # an empty one may be there
    with whole_folder(target, replace=False) as building:
        (building / "new").touch()
    assert names(target) == ["new"]
    with pytest.raises(OSError, match="not empty"), whole_folder(target, replace=False) as building:
        (building / "newer").touch()
    assert names(target) == ["new"]
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_is_unstored_reads_as_a_file_and_is_nowhere_afterwards(in_memory, monkeypatch):
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with unstored(b"abc") as path:
        assert path.read_bytes() == path.read_bytes() == b"abc"
    assert not path.exists()
