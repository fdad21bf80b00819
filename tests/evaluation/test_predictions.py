from dataclasses import replace

import numpy as np
import pytest

from pneumobench.data.subset import Part
from pneumobench.errors import TrackingError
from pneumobench.evaluation import predictions
from pneumobench.evaluation.operating_point import OperatingPoint

POINT = OperatingPoint(0.4, "youden", 2)


def test_what_is_written_is_read_again(dataset, tmp_path):
    part = Part(dataset.subset(dataset.origins == "test"))
    said = np.random.default_rng(0).random(len(part))
    one = predictions.of([part.dataset], [said], POINT)
    one.write(tmp_path / "test.parquet")
    again = predictions.read(tmp_path / "test.parquet", POINT)
    order = np.argsort(one.hash, kind="stable")
    for name in (*predictions.COLUMNS, "probability"):
        assert np.array_equal(getattr(again, name), getattr(one, name)[order]), name
    assert again.label.dtype == np.int8
    assert np.array_equal(again.predicted, (said >= 0.4)[order])


def test_parts_are_joined_in_order(dataset):
    sides = [Part(dataset.subset(dataset.origins == name)) for name in ("train", "test")]
    said = [np.full(len(part), value) for part, value in zip(sides, (0.1, 0.9), strict=True)]
    whole = predictions.of([side.dataset for side in sides], said, POINT)
    assert len(whole) == len(dataset)
    assert np.array_equal(whole.probability == 0.9, np.isin(whole.image, sides[1].dataset.paths))


def test_another_file_is_refused_by_name(tmp_path):
    (tmp_path / "test.parquet").write_text("no table")
    with pytest.raises(TrackingError, match=r"test\.parquet holds no predictions"):
        predictions.read(tmp_path / "test.parquet", POINT)


def test_what_else_is_known_of_an_image_stays_with_its_prediction(dataset, tmp_path):
    columns = {"view": np.array(["AP", "PA"]), "hash": np.array(["x", "y"])}
    one = predictions.of([replace(dataset.subset(np.arange(2)), columns=columns)], [np.array([0.1, 0.9])], POINT)
    one.write(tmp_path / "test.parquet")
    again = predictions.read(tmp_path / "test.parquet", POINT)
    order = np.argsort(one.hash, kind="stable")
    assert again.columns["view"].tolist() == columns["view"][order].tolist()
    assert again.columns["hash_"].tolist() == columns["hash"][order].tolist()
