import numpy as np
import pytest
from PIL import Image

from pneumobench.contract.layouts import CLAUSES, check
from pneumobench.data import detect, layout_template
from pneumobench.data.layout import Reading
from pneumobench.data.load import load_folder
from pneumobench.data.options import DataOptions
from pneumobench.errors import UsageError


def images(folder, *names):
    """Small pictures, no two alike."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(list(name.encode()))
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / name)


BROKEN = '''"""Ours."""
from pneumobench.data.layout import Layout, Listing, Row

calls = []

def read(path, reading):
    calls.append(path)
    rows = [Row("a.png", 2, "later", "", "", {"age": 5}), Row("a.png", len(calls)), Row("gone.png", 0)]
    return Listing(path, rows)

layout = Layout(is_own=lambda path: path.name != "ward", read=read, citation=" ", licence="")
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The user's folder of layouts, and a folder of images."""
    monkeypatch.setenv("PNEUMOBENCH_LAYOUTS", str(tmp_path / "layouts"))
    (tmp_path / "layouts").mkdir()
    images(tmp_path / "ward", *(f"{name}/p{n}-AP.png" for name in ("sick", "healthy", "odd") for n in range(4)))
    return tmp_path


def test_the_template_keeps_the_contract_and_reads_as_written(mine):
    path = layout_template.write("our_ward")
    (mine / "ward" / "our_ward.txt").touch()
    assert [one for one in check("our-ward", mine / "ward").verdicts if not one.held] == []
    dataset = load_folder(mine / "ward", DataOptions(test_fraction=0.5))
    assert set(dataset.columns["view"]) == {"AP"}
    assert set(dataset.patients) == {"p0", "p1", "p2", "p3"}
    assert dataset.not_read == ("4 images left out (in odd, which is no class), such as odd/p0-AP.png",)
    with pytest.raises(UsageError, match="already exists"):
        layout_template.write("our_ward")
    assert detect.entries()["our-ward"].path == path.resolve()


def test_a_layout_that_breaks_the_contract_is_told_where(mine):
    (mine / "layouts" / "breaking.py").write_text(BROKEN)
    images(mine / "ward", "a.png")
    checked = check("breaking", mine / "ward")
    assert checked.is_broken
    why = {one.clause: one.why for one in checked.verdicts if one.broken}
    assert len(why) == len(CLAUSES)
    for part in ("no citation and no licence", "`is_own` says no", "an empty folder", "labels are", "two rows"):
        assert any(part in text for text in why.values()), part
    assert {one.where for one in checked.verdicts} == {"breaking.py"}


@pytest.mark.parametrize("name", ["phantom", "kermany", "folders", "manifest"])
def test_built_in_layouts_keep_it(name, phantom_folder, copy):
    if name != "phantom":
        (copy / "phantom.json").unlink()
    folder, reading = phantom_folder if name == "phantom" else copy, Reading()
    if name == "folders":
        folder = copy / "train"
    if name == "manifest":
        from pneumobench.data.write_manifest import write

        folder = write(detect.read(copy), copy.parent / "list.csv")
    assert [one for one in check(name, folder, reading).verdicts if not one.held] == []
