"""Content hashes: those of the bytes, and read again only where a file has changed."""

import hashlib
import os

import pytest

from pneumobench.data import hashes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(5):
        (folder / f"{i}.png").write_bytes(bytes([i]) * 100)
    monkeypatch.setattr(hashes, "SETTLED", 0)
    return folder


@pytest.fixture
def read(monkeypatch):
    """The names of the files that were read."""
    seen, whole = [], hashes.content_hash
    monkeypatch.setattr(hashes, "content_hash", lambda path: (seen.append(path.name), whole(path))[1])
    return seen


def of(folder):
    return hashes.content_hashes(folder, sorted(path.name for path in folder.iterdir()))


def test_they_are_those_of_the_bytes(folder):
    expected = [hashlib.blake2b(bytes([i]) * 100, digest_size=16).hexdigest() for i in range(5)]
    assert of(folder) == [(digest, "") for digest in expected]


def test_a_file_is_read_again_only_where_it_changed(folder, read):
    first = of(folder)
    assert len(read) == 5
    read.clear()
    assert of(folder) == first
    assert read == []
    kept = (folder / "2.png").stat()
    (folder / "2.png").write_bytes(bytes([9]) * 100)  # of the same size
    os.utime(folder / "2.png", ns=(kept.st_atime_ns, kept.st_mtime_ns))  # and with its old time put back
    again = of(folder)
    assert read == ["2.png"]
    assert [a == b for a, b in zip(first, again, strict=True)] == [True, True, False, True, True]


def test_a_file_that_may_still_change_is_not_trusted(folder, read, monkeypatch):
    monkeypatch.setattr(hashes, "SETTLED", 60e9)
    of(folder)
    read.clear()
    of(folder)
    assert len(read) == 5


def test_a_damaged_index_is_passed_over(folder, read):
    first = of(folder)
    (index,) = (folder.parent / "cache" / "hashes").glob("*.json")
    for text in ("{", "[1]", '{"0.png": 3}'):
        index.write_text(text)
        assert of(folder) == first


def test_what_cannot_be_read_is_named_and_the_others_are_hashed(folder):
    (folder / "3.png").write_bytes(b"")
    (folder / "4.png").unlink()
    (folder / "4.png").symlink_to(folder / "nowhere")
    hashed = of(folder)
    assert hashed[3] == ("", "the file is empty")
    assert hashed[4] == ("", "No such file or directory")
    assert all(digest for digest, _ in hashed[:3])
