"""Alterations: seeded, of the kind they are called, and the same pixels for every model."""

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import split
from pneumobench.training import alterations, altered
from pneumobench.training.alterations import SIDE


@pytest.fixture(scope="module")
def part(dataset):
    return split.split(dataset)[0].validation


@pytest.fixture(scope="module")
def grey(part):
    return altered.of_part(part)[:6]


@pytest.mark.parametrize("kind", alterations.CORRUPTIONS)
def test_a_corruption_is_seeded_and_grows_with_its_severity(grey, kind):
    changes = []
    for severity in alterations.SEVERITIES:
        once = alterations.altered(grey, kind, severity, 0)
        assert once.shape == grey.shape
        assert once.dtype == np.uint8
        np.testing.assert_array_equal(once, alterations.altered(grey, kind, severity, 0))
        changes.append(np.abs(once.astype(float) - grey).mean())
    assert changes[0] > 0.1
    assert changes[2] > changes[0]
    if kind in ("gaussian noise", "speckle noise", "motion", "rotation, shift"):
        assert np.any(alterations.altered(grey, kind, 2, 0) != alterations.altered(grey, kind, 2, 1))


def test_there_are_three_severities_of_each_and_four_controls():
    assert len(alterations.names()) == 3 * 14 + 4


def test_brightness_contrast_and_gamma_go_where_their_names_say(grey):
    mean = {kind: alterations.altered(grey, kind, 2).mean() for kind in ("brighter", "darker")}
    assert mean["darker"] < grey.mean() < mean["brighter"]
    spread = {kind: alterations.altered(grey, kind, 2).std() for kind in ("more contrast", "less contrast")}
    assert spread["less contrast"] < grey.std() < spread["more contrast"]
    assert alterations.altered(grey, "gamma", 2).mean() > grey.mean() > alterations.altered(grey, "gamma", 3).mean()


def test_controls_leave_what_they_say_and_nothing_else(grey):
    hidden, border = (alterations.altered(grey, kind, 0) for kind in ("centre hidden", "border alone"))
    edge = round(0.1 * SIDE)
    assert not hidden[:, edge:-edge, edge:-edge].any()
    np.testing.assert_array_equal(hidden[:, : edge - 1], grey[:, : edge - 1])
    assert (border > 0).sum() < (hidden > 0).sum()
    shuffled = alterations.altered(grey, "histogram alone", 0)
    np.testing.assert_array_equal(np.sort(shuffled[0].ravel()), np.sort(grey[0].ravel()))
    assert np.any(shuffled[0] != grey[0])
    low = alterations.altered(grey, "4 x 4 low-pass", 0).astype(float)
    assert np.abs(np.diff(low, axis=1)).max() < np.abs(np.diff(grey.astype(float), axis=1)).max()


def test_every_view_sees_the_same_altered_image(part):
    whole = altered.of_part(part)
    changed = alterations.altered(whole, "collimation", 3)
    read = altered.Altered(part, changed)
    np.testing.assert_array_equal(read.pixels(View(SIDE, SIDE, channels=1))[:], changed)
    small = read.pixels(View(16, 16, channels=3))[:]
    assert small.shape == (len(part), 16, 16)
    assert small[:, 0].max() == 0, "the border is black at every size"
