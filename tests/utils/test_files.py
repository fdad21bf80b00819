"""A file is written whole or not at all."""

import pytest

from pneumobench.errors import UsageError
from pneumobench.utils import files


def test_a_file_and_its_folder_are_written(tmp_path):
    path = files.write(tmp_path / "new" / "a.txt", "é\n")
    assert path.read_bytes() == "é\n".encode()
    assert [one.name for one in path.parent.iterdir()] == ["a.txt"]


def test_what_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = files.write(tmp_path / "a.txt", "old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(UsageError, match=r"cannot write .*a\.txt: No space left"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_in_its_place_is_one_line(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        files.write(tmp_path / "a.txt", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]
