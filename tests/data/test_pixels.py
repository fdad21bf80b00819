import os
import subprocess
import sys

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import decode, decoders, disk_cache
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


def test_a_verdict_does_not_outlive_its_cause(copy, monkeypatch):
    """A codec that is installed, another version of a library, or another decoder: all is looked at anew."""
    path = sorted((copy / "train" / "NORMAL").iterdir())[0]
    data = load_folder(copy)
    digest = str(data.hashes[data.paths == path.relative_to(copy).as_posix()][0])
    whole, installed = decode.decode, decoders._installed

    def fails(file, view):
        if file == path:
            raise ValueError("its codec is missing")
        return whole(file, view)

    monkeypatch.setattr(decode, "decode", fails)
    assert open_cache(data, VIEW).unreadable == {digest: "its codec is missing"}
    monkeypatch.setattr(decode, "decode", whole)
    assert open_cache(data, VIEW).unreadable, "nothing has changed: the verdict is remembered"
    for change in ({"pyjpegls": "1.5"}, {"pillow": "99"}, {"jpg_2000": None}):
        monkeypatch.setattr(decoders, "_installed", lambda change=change: installed() | change)
        assert open_cache(data, VIEW).unreadable == {}
        assert np.array_equal(open_cache(data, VIEW).rows(np.array([digest]))[:][0], whole(path, VIEW))
    monkeypatch.setattr(decoders, "_installed", installed)
    monkeypatch.setattr(decoders, "VERSION", decoders.VERSION + 1)
    assert open_cache(data, VIEW).unreadable == {}


def test_a_library_that_comes_or_goes_is_another_version(tmp_path, monkeypatch):
    before = decoders.version()
    (tmp_path / "pyjpegls-1.5.dist-info").mkdir()
    (tmp_path / "pyjpegls-1.5.dist-info" / "METADATA").write_text("Name: pyjpegls\nVersion: 1.5\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert decoders.version() != before


@pytest.mark.parametrize("suffix", [".png", ".dcm", ""])
def test_a_file_that_is_given_its_right_suffix_was_known_before(copy, suffix):
    """What a file is, its bytes say; so no verdict can hang on its name."""
    pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset
    from pydicom.uid import ImplicitVRLittleEndian

    file = Dataset()
    file.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    file.Rows = file.Columns = 32
    file.PhotometricInterpretation, file.SamplesPerPixel, file.PixelRepresentation = "MONOCHROME2", 1, 0
    file.BitsAllocated, file.BitsStored, file.HighBit = 8, 8, 7
    file.PixelData = bytes(range(256)) * 4
    target = copy / "train" / "NORMAL" / f"IM{suffix}"
    file.save_as(target, implicit_vr=ImplicitVRLittleEndian.is_implicit_VR, little_endian=True)
    data = load_folder(copy)
    assert f"train/NORMAL/IM{suffix}" in data.paths
    assert open_cache(data, VIEW).unreadable == {}
