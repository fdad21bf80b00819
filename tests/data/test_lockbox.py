import json
from dataclasses import replace

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import split
from pneumobench.data.load import load_folder
from pneumobench.data.lockbox import Ledger, Look
from pneumobench.errors import DataError, TrackingError

LOOK = Look("2026-01-01T00:00:00+00:00", "pneumobench run x", "x", "r1", "abc", "f" * 32, "phantom")


def test_a_look_stands_in_the_ledger_before_an_image_is_read(copy, tmp_path):
    for path in (copy / "test").rglob("*.jpeg"):
        path.write_text(f"garbage {path.name}")
    development, lockbox = split.split(load_folder(copy))
    assert development.training.pixels(View(8, 8))[:2].shape == (2, 8, 8), "the test images were not touched"
    ledger = Ledger(tmp_path / "store")
    opened, before = lockbox.open(ledger, LOOK)
    assert ledger.looks() == [replace(LOOK, images=lockbox.digest)]
    assert before == 0
    with pytest.raises(DataError, match=r"cannot read .* not an image"):
        opened.pixels(View(8, 8))


def test_without_a_ledger_the_lockbox_stays_closed(dataset, tmp_path):
    (tmp_path / "file").write_text("x")
    _, lockbox = split.split(dataset)
    with pytest.raises(TrackingError, match="the test images stay closed"):
        lockbox.open(Ledger(tmp_path / "file"), LOOK)


def test_the_ledger_is_only_appended_to(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(LOOK)
    first = ledger.path.read_bytes()
    ledger.append(LOOK)
    assert ledger.path.read_bytes().startswith(first)
    assert len(ledger.looks()) == 2


def test_looks_are_counted_by_the_test_images_whatever_stands_beside_them(dataset, tmp_path):
    ledger = Ledger(tmp_path)
    less = dataset.subset(np.arange(len(dataset)) != 3)  # a training image fewer: another fingerprint
    assert less.fingerprint != dataset.fingerprint
    counts = [split.split(data)[1].open(ledger, LOOK)[1] for data in (dataset, less, dataset)]
    assert counts == [0, 1, 2]
    fewer = split.split(dataset.subset(np.arange(len(dataset)) != len(dataset) - 1))[1]
    assert fewer.open(ledger, LOOK)[1] == 0


def test_a_damaged_line_is_named(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(LOOK)
    with ledger.path.open("a") as file:
        file.write(json.dumps({"when": "now"}) + "\n")
    with pytest.raises(TrackingError, match=r"line 2 of the ledger .* is damaged"):
        ledger.looks()


def test_the_development_side_holds_no_path_of_a_test_image(dataset):
    development, _ = split.split(dataset)
    for part in (development.training, development.validation):
        for held in (part.dataset, part.source):
            assert not any(path.startswith("test/") for path in held.paths)


def test_a_margin_is_named_once_and_is_no_look(tmp_path):
    ledger = Ledger(tmp_path)
    first = ledger.name_margin("auroc", 0.01)
    assert ledger.name_margin("auroc", 0.01) == first
    assert ledger.name_margin("auroc", 0.02) != first
    assert ledger.looks() == []
    assert len(ledger.path.read_text().splitlines()) == 2
