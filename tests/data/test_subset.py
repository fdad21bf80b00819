import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import split
from pneumobench.data.load import load_folder
from pneumobench.errors import DataError

VIEW = View(9, 9)


def test_an_unreadable_image_stops_or_is_left_out_and_counted(copy):
    bad = sorted((copy / "train" / "PNEUMONIA").iterdir())[:2]
    for number, path in enumerate(bad):
        path.write_text(f"hello {number}")
    development, _ = split.split(load_folder(copy))
    size = len(development.training) + len(development.validation)
    with pytest.raises(DataError, match=r"not an image.*--skip-unreadable"):
        [part.pixels(VIEW) for part in (development.training, development.validation)]
    assert development.readable(VIEW).training is development.training, "nothing is left out unless that is asked for"
    skipping, _ = split.split(load_folder(copy, skip_unreadable=True))
    rest = skipping.readable(VIEW)
    assert len(rest.training) + len(rest.validation) == size - 2
    assert sorted(rest.lost) == [f"train/PNEUMONIA/{path.name}" for path in bad]
    assert np.all(rest.training.pixels(VIEW)[:].max(axis=(1, 2)) > 0)


def test_a_part_without_a_readable_class_is_refused(copy):
    for path in (copy / "train" / "NORMAL").iterdir():
        path.write_text(f"hello {path.name}")
    development, _ = split.split(load_folder(copy, skip_unreadable=True))
    with pytest.raises(DataError, match="no readable NORMAL image is left"):
        development.readable(VIEW)
