import sys
from pathlib import Path

import numpy as np
import pytest

from pneumobench.data import detect
from pneumobench.data.layout import Layout, Reading
from pneumobench.errors import UsageError

MINE = '''"""The X-rays of our ward."""
from pneumobench.data.layout import Layout, Listing, Row

def read(path, reading):
    return Listing(path, [Row("a.jpeg", 1, "train")])

layout = Layout(is_own=lambda path: (path / "ward.txt").exists(), read=read, citation="us", licence="ours")
'''


@pytest.fixture
def ward(tmp_path, monkeypatch):
    """A layout in a file of the user's, and a folder of its kind."""
    monkeypatch.delitem(sys.modules, "pneumobench_folder_layouts", raising=False)
    monkeypatch.delitem(sys.modules, "pneumobench_folder_layouts.ward_b", raising=False)
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts" / "ward_b.py").write_text(MINE)
    monkeypatch.setenv("PNEUMOBENCH_LAYOUTS", str(tmp_path / "layouts"))
    (tmp_path / "ward").mkdir()
    (tmp_path / "ward" / "ward.txt").touch()
    return tmp_path / "ward"


def test_layouts_are_listed_without_importing_one(ward):
    entries = detect.entries()
    assert {"kermany", "medmnist", "phantom", "ward-b"} <= entries.keys()
    assert entries["ward-b"].summary == "The X-rays of our ward."
    assert "pneumobench_folder_layouts.ward_b" not in sys.modules


def test_a_folder_is_read_by_the_layout_that_calls_it_its_own(ward, phantom_folder, copy):
    assert detect.layout_of(ward) == "ward-b"
    assert detect.read(ward).rows[0].path == "a.jpeg"
    assert detect.layout_of(phantom_folder) == "phantom"
    (copy / "phantom.json").unlink()
    assert detect.layout_of(copy) == "kermany"
    archive = ward / "some.npz"
    np.savez(archive, train_images=np.zeros(3))
    assert detect.layout_of(archive) == "medmnist"
    assert detect.layout_of(Path("nowhere")) == detect.FALLBACK


def test_a_layout_can_be_named_and_two_owners_are_told(ward):
    with pytest.raises(UsageError, match="no layout named 'kermani'; did you mean 'kermany'"):
        detect.read(ward, Reading(layout="kermani"))
    other = Path(ward.parent / "layouts" / "ward_c.py")
    other.write_text(MINE)
    with pytest.raises(UsageError, match="looks like ward-b and ward-c; choose one with --layout"):
        detect.layout_of(ward)
    assert detect.layout_of(ward, Reading(layout="ward-c")) == "ward-c"


def test_another_s_broken_layout_keeps_no_one_from_reading(ward, phantom_folder):
    (ward.parent / "layouts" / "broken.py").write_text("1 / 0")
    assert detect.layout_of(phantom_folder) == "phantom"


@pytest.mark.parametrize("name", sorted(detect.entries()))
def test_every_built_in_layout_says_whose_images_it_reads(name, tmp_path):
    layout = detect.load(name)
    assert isinstance(layout, Layout)
    assert layout.citation
    assert layout.licence
    assert detect.entries()[name].summary
    assert not layout.is_own(tmp_path)
    assert not layout.is_own(tmp_path / "missing")
