import os
import subprocess
import sys

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import decode, disk_cache
from pneumobench.data.load import load_folder
from pneumobench.data.pixels import open_cache
from pneumobench.errors import DataError

VIEW = View(12, 12)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path / "own"))


def folder():
    return next(p for p in (disk_cache.folder() / "images").iterdir() if p.is_dir())


def test_rows_are_the_decoded_files_in_the_order_asked_for(dataset):
    order = np.random.default_rng(0).permutation(len(dataset))[:9]
    rows = open_cache(dataset, VIEW).rows(dataset.hashes[order])
    expected = [decode.decode(dataset.root / dataset.paths[i], VIEW) for i in order]
    assert np.array_equal(rows[:], expected)
    assert np.array_equal(rows.take(np.array([3, 3, 1]))[:], np.array(expected)[[3, 3, 1]])


def test_names_and_order_do_not_matter(dataset, copy):
    built = open_cache(dataset, VIEW)
    for path in list((copy / "train" / "NORMAL").iterdir()):
        path.rename(path.with_name("renamed-" + path.name))
    again = load_folder(copy)
    before = folder().stat().st_mtime_ns
    rows = open_cache(again, VIEW).rows(again.hashes)
    assert folder().stat().st_mtime_ns == before, "the same contents share one cache"
    assert np.array_equal(rows[:], [decode.decode(again.root / p, VIEW) for p in again.paths])
    assert built.unreadable == {}


@pytest.mark.parametrize("damage", ["truncate", "garbage", "missing", "short"])
def test_a_damaged_cache_is_rebuilt(dataset, damage):
    expected = open_cache(dataset, VIEW).rows(dataset.hashes)[:].copy()
    pixels = folder() / "pixels.npy"
    if damage == "truncate":
        os.truncate(pixels, pixels.stat().st_size // 2)
    elif damage == "garbage":
        pixels.write_bytes(b"not numpy at all")
    elif damage == "missing":
        (folder() / "unreadable.json").unlink()
    else:
        np.save(folder() / "hashes.npy", np.array(["a"]))
    assert np.array_equal(open_cache(dataset, VIEW).rows(dataset.hashes)[:], expected)


def test_an_unreadable_image_is_remembered_with_its_reason(copy):
    path = sorted((copy / "train" / "NORMAL").iterdir())[0]
    path.write_text("hello")
    cache = open_cache(load_folder(copy), VIEW)
    assert list(cache.unreadable.values()) == ["not an image"]


@pytest.mark.slow
def test_several_processes_build_one_cache(phantom_folder):
    code = (
        "import sys; from pneumobench.data import pixels; from pneumobench.data.load import load_folder;"
        "from pneumobench.authoring.recipe import View;"
        "data = load_folder(sys.argv[1]);"
        "print(pixels.open_cache(data, View(12, 12)).rows(data.hashes)[:].sum())"
    )
    command = [sys.executable, "-c", code, str(phantom_folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert int(answers.pop()) > 0
    assert [p.name for p in (disk_cache.folder() / "images").iterdir() if p.is_dir()] == [folder().name]


def test_a_cache_that_cannot_be_written_names_the_way_out(dataset, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="PNEUMOBENCH_CACHE names another folder"):
        open_cache(dataset, VIEW)
