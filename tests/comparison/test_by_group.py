"""Comparisons by groups: the figures of each group alone, a column that exists, and whether differences depend."""

import json
from pathlib import Path

import numpy as np
import pytest

from pneumobench.comparison import by_group
from pneumobench.comparison.compare import compare
from pneumobench.errors import UsageError
from pneumobench.evaluation.metrics import point_of_probabilities
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking import export
from pneumobench.utils.jsonable import to_json

RESULTS = Path(__file__).parents[2] / "results"


def models(seed=0, n=240, seeds=1):
    """Two plugins on n images whose view is AP or PA; `good` is better than `plain` in PA alone."""
    rng = np.random.default_rng(seed)
    label, view = np.tile([0, 1], n // 2), np.repeat(["AP", "PA"], n // 2)
    name = np.arange(n).astype(str)
    common = rng.normal(size=n)

    def trained(gain):
        logits = 1.5 * (label - 0.5) * (1 + gain * (view == "PA")) + common + 0.3 * rng.normal(size=n)
        return Predictions(
            name, name, np.array(["normal", "viral"])[label], name, label, 1 / (1 + np.exp(-logits)),
            OperatingPoint(0.5, "0.5"), columns={"view": view},
        )  # fmt: skip

    return {name: [trained(gain) for _ in range(seeds)] for name, gain in (("good", 2.0), ("plain", 0.0))}


def of_view(seeds=1):
    own = models(seeds=seeds)
    groups = by_group.places(["view"], {"nih": own})["view", "nih"]
    return own, by_group.compare("view", "nih", groups, own, "plain", "auroc", resamples=500)


def test_figures_and_differences_are_those_of_each_group_alone():
    own, grouped = of_view()
    assert [group.name for group in grouped.groups] == ["AP", "PA"]
    for group in grouped.groups:
        rows = own["good"][0].columns["view"] == group.name
        for name, estimate in group.figures.items():
            part = own[name][0].take(rows)
            assert estimate.value == pytest.approx(point_of_probabilities(part.label, part.probability)["auroc"])
        (pair,) = group.pairs
        assert pair.difference == pytest.approx(group.figures["good"].value - group.figures["plain"].value)
        assert group.counts == {"normal": 60, "pneumonia": 60}


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_difference_that_depends_on_the_group_is_told(seeds):
    _, grouped = of_view(seeds)
    (grouped,) = by_group.corrected([grouped])
    (sentence,) = grouped.sentences()
    assert "depends on the group (F(1, " in sentence
    assert ("these trained models of good" in sentence) == (seeds == 1)
    assert "by view, images of nih" in sentence
    assert json.loads(json.dumps(to_json(grouped)))["interactions"][0]["plugin"] == "good"


def test_p_is_corrected_over_all_tests_of_the_command():
    _, grouped = of_view()
    (alone,) = by_group.corrected([grouped])
    twice = by_group.corrected([grouped, grouped])
    (p,) = [test.p_corrected for test in alone.interactions.values()]
    assert [test.p_corrected for one in twice for test in one.interactions.values()] == pytest.approx([2 * p, 2 * p])


def test_a_column_that_no_images_have_or_of_small_groups_is_one_line():
    with pytest.raises(UsageError, match="not 'shoe'; they have: subtype, view"):
        by_group.places(["shoe"], {"test": models()})
    with pytest.raises(UsageError, match="view AP: 15 normal images, fewer than 20"):
        by_group.places(["view"], {"test": models(n=60)})
    assert list(by_group.places(["view"], {"test": models(), "nih": models(1)})) == [("view", "test"), ("view", "nih")]


@pytest.mark.slow
def test_viral_and_bacterial_images_are_each_set_against_all_normal_ones_of_the_exported_runs(tmp_path):
    from pneumobench.comparison import report

    comparison = compare(export.read(RESULTS), ["residual", "thumbnail"], by=["subtype"], resamples=300)
    (grouped,) = comparison.groups
    assert [(group.name, group.counts, group.against) for group in grouped.groups] == [
        ("bacterial", {"normal": 234, "pneumonia": 242}, "normal"),
        ("viral", {"normal": 234, "pneumonia": 148}, "normal"),
    ]
    whole = next(one.test["auroc"].value for one in comparison.standings if one.name == "thumbnail")
    bacterial, viral = (group.figures["thumbnail"].value for group in grouped.groups)
    assert (242 * bacterial + 148 * viral) / 390 == pytest.approx(whole)
    assert "subtype normal: it is a whole class and no part of one" in grouped.left_out
    html = report.Report(comparison).html()
    assert "By subtype, test images" in html
    assert "viral (234 normal, all; 148 pneumonia)" in html
    with pytest.raises(UsageError, match="--by takes a column"):
        compare(export.read(RESULTS), ["residual"], by=["sex"], resamples=300)
