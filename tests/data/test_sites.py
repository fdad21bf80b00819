import shutil
from dataclasses import replace

import numpy as np
import pytest

from pneumobench.data import findings, prepare
from pneumobench.data.load import load_folder
from pneumobench.data.options import DataOptions
from pneumobench.data.sites import united
from pneumobench.errors import DataError
from pneumobench.utils.progress import Progress


@pytest.fixture
def two(copy, tmp_path):
    """Two hospitals with other bytes under the same patients' numbers, but for one file that both hold."""
    (copy / "phantom.json").unlink()
    first = copy.rename(tmp_path / "north")
    second = shutil.copytree(first, tmp_path / "far" / "south")
    for path in sorted(second.rglob("*.jpeg"))[1:]:
        path.write_bytes(path.read_bytes() + b"\0")
    return first, second


def test_two_datasets_are_one_with_a_column_that_says_whose_an_image_is(two, dataset):
    north, south = map(load_folder, two)
    both = united([north, south])
    assert (both.name, len(both)) == ("north+south", 2 * len(dataset))
    assert dict(zip(*np.unique(both.columns["site"], return_counts=True), strict=True)) == {
        "north": len(dataset),
        "south": len(dataset),
    }
    assert all((both.root / path).is_file() for path in both.paths)
    shared = set(both.patients[both.columns["site"] == "north"]) & set(both.patients[both.columns["site"] == "south"])
    assert len(shared) == 1  # the patient of the file that both hold


def test_patient_numbers_that_two_sites_share_are_two_keys(two):
    north, south = map(load_folder, two)
    both = united([north, south])
    assert not set(both.keys[both.columns["site"] == "north"]) & set(both.keys[both.columns["site"] == "south"])
    (problem,) = (one for one in findings.of_names(both) if one.kind == "two patient keys")
    assert problem.figures == {"groups": 1}  # the file that both hold


def test_every_site_is_on_both_sides_of_a_split(two):
    images = prepare.load(DataOptions(data=[str(path) for path in two]), Progress())
    assert images.sources == tuple(map(str, two))
    for part in (images.development.training, images.development.validation):
        assert set(part.dataset.columns["site"]) == {"north", "south"}


def test_names_that_recur_are_numbered_and_columns_are_kept(dataset):
    plain = replace(dataset, name="ward", columns={"view": np.full(len(dataset), "AP")})
    own = replace(dataset, name="ward", columns={"site": np.full(len(dataset), "2nd floor")}, notes=("said",))
    both = united([plain, own])
    assert set(both.columns["site"]) == {"ward", "ward-2/2nd floor"}
    assert set(both.columns["view"]) == {"AP", ""}
    assert both.notes == ("ward-2: said",)


def test_the_phantom_is_not_mixed_with_images(dataset):
    with pytest.raises(DataError, match="never mixed"):
        united([dataset, replace(dataset, name="ward")])
    assert united([dataset]) is dataset
