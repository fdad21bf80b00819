"""The cache's housekeeping: the least recently used is evicted, what is in use stays, a failed build leaves nothing."""

import os

import pytest
from filelock import FileLock

from pneumobench.data import disk_cache
from pneumobench.errors import DataError, UsageError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path))


def keep(name, size=400, kind="images"):
    def build(path):
        (path / "file").write_bytes(b"x" * size)

    return disk_cache.stored(kind, name, build, lambda path: (path / "file").stat().st_size)


def names():
    return {entry.path.name for entry in disk_cache.entries()}


def age(name, seconds, kind="images"):
    path = disk_cache.folder() / kind / f"{name}.lock"
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))


def test_the_least_recently_used_is_evicted(monkeypatch):
    for i, name in enumerate("abc"):
        keep(name, kind="images" if name != "b" else "features")
        age(name, 100 - i, kind="images" if name != "b" else "features")
    keep("a")  # used again: now b is the oldest
    monkeypatch.setenv("PNEUMOBENCH_CACHE_LIMIT", "0.0000013")  # 1,300 bytes: three of 400
    keep("d")
    assert names() == {"a", "c", "d"}


def test_what_is_new_stays_even_where_it_alone_is_too_large(monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE_LIMIT", "0.0000001")
    assert keep("large") == 400
    assert names() == {"large"}


def test_what_this_process_still_reads_from_stays(monkeypatch):
    keep("old")
    disk_cache.hold(disk_cache.folder() / "images" / "old" / "inside")
    monkeypatch.setenv("PNEUMOBENCH_CACHE_LIMIT", "0.0000001")
    keep("new")
    assert names() == {"old", "new"}


def test_what_another_process_locks_stays(monkeypatch):
    keep("busy")
    monkeypatch.setenv("PNEUMOBENCH_CACHE_LIMIT", "0.0000005")
    with FileLock(f"{disk_cache.folder() / 'images' / 'busy'}.lock"):
        keep("new")
        assert names() == {"busy", "new"}
        assert disk_cache.clear() == 400
    assert names() == {"busy"}


def test_a_build_that_fails_leaves_nothing():
    def build(path):
        (path / "half").write_text("x")
        raise DataError("no")

    with pytest.raises(DataError, match="no"):
        disk_cache.stored("images", "torn", build, lambda path: (path / "whole").read_text())
    assert [path.name for path in (disk_cache.folder() / "images").iterdir()] == ["torn.lock"]


def test_clearing_says_what_it_freed():
    keep("a", 100)
    keep("b", 200, kind="features")
    (disk_cache.folder() / "images" / ".left.building").mkdir()
    assert disk_cache.clear() == 300
    assert disk_cache.entries() == []
    assert not (disk_cache.folder() / "images" / ".left.building").exists()


@pytest.mark.parametrize("wrong", ["much", "0", "-1"])
def test_a_limit_that_is_no_size_is_refused(wrong, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE_LIMIT", wrong)
    with pytest.raises(UsageError, match=f"is a size in GB above 0, not '{wrong}'"):
        disk_cache.limit()
