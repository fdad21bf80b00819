import os
import shutil

import numpy as np
import pytest

from pneumobench.data.load import load_folder
from pneumobench.errors import DataError


def test_the_phantom_loads_with_its_counts(dataset):
    assert len(dataset) == 24 + 72 + 16 + 24
    assert dataset.is_phantom
    assert dataset.unmatched == 0
    assert set(dataset.subtypes[dataset.labels == 1]) == {"bacterial", "viral"}
    assert np.sum(dataset.origins == "test") == 40


def test_the_fingerprint_is_of_contents_not_of_names_or_order(dataset, copy):
    for path in sorted((copy / "train" / "NORMAL").iterdir())[:3]:
        path.rename(path.with_name("zz" + path.name))
    (copy / "train").rename(copy / "TRAIN")
    (copy / "TRAIN" / "NORMAL").rename(copy / "TRAIN" / "Normal")
    again = load_folder(copy)
    assert again.fingerprint == dataset.fingerprint
    assert again.subset(np.random.default_rng(0).permutation(len(again))).fingerprint == dataset.fingerprint


def test_the_fingerprint_changes_with_a_byte_a_label_or_a_side(dataset, copy):
    image = next((copy / "test" / "NORMAL").iterdir())
    image.write_bytes(image.read_bytes() + b"x")
    seen = {dataset.fingerprint, load_folder(copy).fingerprint}
    shutil.move(image, copy / "test" / "PNEUMONIA")
    seen.add(load_folder(copy).fingerprint)
    shutil.move(copy / "test" / "PNEUMONIA" / image.name, copy / "train" / "PNEUMONIA")
    seen.add(load_folder(copy).fingerprint)
    assert len(seen) == 4


def test_kaggles_nested_twin_and_its_litter_are_no_trouble(dataset, copy, tmp_path):
    outer = tmp_path / "archive"
    shutil.move(copy, outer / "chest_xray")
    (outer / "__MACOSX" / "chest_xray" / "train").mkdir(parents=True)
    (outer / "chest_xray" / "train" / "NORMAL" / ".DS_Store").write_bytes(b"x")
    (outer / "chest_xray" / "train" / "NORMAL" / "._IM-0001-0001.jpeg").write_bytes(b"x")
    (outer / "chest_xray" / "train" / "NORMAL" / "Thumbs.db").write_bytes(b"x")
    assert load_folder(outer).fingerprint == dataset.fingerprint


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (lambda root: shutil.rmtree(root / "test"), "has no folder test"),
        (lambda root: shutil.rmtree(root / "train" / "NORMAL"), "has no class folder NORMAL"),
        (lambda root: [p.unlink() for p in (root / "test" / "PNEUMONIA").iterdir()], "PNEUMONIA holds no image"),
        (lambda root: shutil.rmtree(root), "no folder"),
        (lambda root: (shutil.rmtree(root), root.write_text("x")), "is a file"),
    ],
)
def test_a_wrong_folder_gets_one_line_that_names_it(copy, breaking, message):
    breaking(copy)
    with pytest.raises(DataError, match=message) as caught:
        load_folder(copy)
    assert "\n" not in str(caught.value)
    assert str(copy) in str(caught.value)


def test_an_empty_file_stops_the_run_or_is_left_out_by_name(copy):
    path = sorted((copy / "train" / "PNEUMONIA").iterdir())[0]
    path.write_bytes(b"")
    with pytest.raises(DataError, match=rf"{path.name}: the file is empty.*--skip-unreadable"):
        load_folder(copy)
    assert load_folder(copy, skip_unreadable=True).unreadable == (f"train/PNEUMONIA/{path.name}",)


def test_a_file_that_vanishes_between_listing_and_reading_is_named(copy):
    path = copy / "train" / "NORMAL" / "IM-9999-0001.jpeg"
    path.symlink_to(copy / "nowhere")
    with pytest.raises(DataError, match=r"IM-9999-0001\.jpeg: No such file"):
        load_folder(copy)


def test_a_name_that_is_no_text_is_refused_before_anything_is_trained(copy):
    image = next((copy / "train" / "NORMAL").iterdir())
    os.rename(os.fsencode(image), os.fsencode(image.parent) + b"/IM-0001-\xff.jpeg")
    with pytest.raises(DataError, match="name is not UTF-8"):
        load_folder(copy)
    assert load_folder(copy, skip_unreadable=True).unreadable == ("train/NORMAL/IM-0001-\\udcff.jpeg",)


def test_a_real_folder_called_phantom_is_not_taken_for_it(copy, tmp_path):
    (copy / "phantom.json").unlink()
    copy.rename(tmp_path / "phantom")
    assert not load_folder(tmp_path / "phantom").is_phantom


def test_one_class_alone_is_refused_after_skipping(copy):
    for path in (copy / "test" / "NORMAL").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"no readable image in .*NORMAL"):
        load_folder(copy, skip_unreadable=True)
