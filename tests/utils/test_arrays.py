"""Array files that are written by rows: what numpy reads back, and a disk that is full."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pneumobench.utils.arrays import new_array, save_array


def test_rows_and_blocks_are_read_back_by_numpy_from_any_thread(tmp_path):
    expected = np.random.default_rng(0).integers(0, 256, (200, 5, 7), np.uint8)
    with new_array(tmp_path / "a.npy", expected.shape, np.uint8) as rows:
        rows[150:] = expected[150:]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: rows.__setitem__(i, expected[i]), range(150)))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), expected)


@pytest.mark.parametrize("array", [np.array(["a", "bcd"]), np.eye(3), np.zeros((0, 4), np.float32)])
def test_what_is_saved_is_what_numpy_saves(tmp_path, array):
    save_array(tmp_path / "a.npy", array)
    again = np.load(tmp_path / "a.npy")
    np.testing.assert_array_equal(again, array)
    assert again.dtype == array.dtype


def test_rows_that_are_not_written_are_zeros_and_none_lies_beyond(tmp_path):
    with new_array(tmp_path / "a.npy", (3, 2), np.float32) as rows:
        rows[1] = 5.0
        with pytest.raises(IndexError, match="among 3"):
            rows[3] = 1.0
        with pytest.raises(IndexError, match="among 3"):
            rows[2:] = np.ones((2, 2))
    assert np.load(tmp_path / "a.npy").tolist() == [[0, 0], [5, 5], [0, 0]]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no posix_fallocate here")
@pytest.mark.parametrize("refused", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_that_reserves_nothing_is_asked_what_is_free(tmp_path, monkeypatch, refused):
    def refuse(descriptor, offset, size):
        raise OSError(refused, os.strerror(refused))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    save_array(tmp_path / "a.npy", np.eye(3))
    assert np.load(tmp_path / "a.npy").tolist() == np.eye(3).tolist()
    with pytest.raises(OSError, match="No space left"), new_array(tmp_path / "b.npy", (10**9, 10**9), np.uint8):
        pass


CODE = """
import sys, numpy as np
from pathlib import Path
from pneumobench.data import disk_cache
from pneumobench.errors import DataError
from pneumobench.utils.arrays import save_array
array = np.ones((600, 1000), np.uint8)
try:
    disk_cache.stored("images", "x", lambda f: save_array(f / "a.npy", array), lambda f: np.load(f / "a.npy"), 600_000)
except DataError as error:
    print(error)
print(sorted(p.name for p in Path(sys.argv[1]).rglob("*") if p.is_file() and p.suffix != ".lock"))
"""


def test_a_full_disk_is_one_line_and_nothing_stays_of_what_was_written(tmp_path):
    mounted = 'mount -t tmpfs -o size=400k tmpfs "$1" && PNEUMOBENCH_CACHE="$1" exec "$2" -c "$3" "$1"'
    command = ["unshare", "-rm", "sh", "-c", mounted, "sh", str(tmp_path), sys.executable, CODE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no file system can be mounted here")
    assert done.returncode == 0, done.stderr
    said, left = done.stdout.splitlines()
    assert said.startswith(f"no space left in {tmp_path}/images for 0.6 MB, 0.4 MB are free; ")
    assert "PNEUMOBENCH_CACHE names another folder" in said
    assert left == "[]"
