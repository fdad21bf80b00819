"""Groups of images, and interaction: its level by simulation, Holm's correction against statsmodels."""

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from pneumobench.evaluation import subgroups
from pneumobench.evaluation.metrics import point_of_probabilities
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions


def test_groups_below_twenty_of_a_class_are_named_and_left_out():
    label = np.repeat([0, 1], 100)
    sex = np.where(np.arange(200) % 100 < 85, "M", "F")
    sex[0] = ""
    groups = subgroups.groups(label, sex, "sex")
    assert list(groups.rows) == ["M"]
    assert groups.left_out == ("sex F: 15 normal images, fewer than 20",)
    assert not groups.rows["M"][0]


def test_a_group_of_one_class_is_set_against_all_images_of_the_other():
    label = np.repeat([0, 1], [50, 100])
    subtype = np.repeat(["normal", "bacterial", "viral"], [50, 70, 30])
    groups = subgroups.groups(label, subtype, "subtype")
    assert groups.against == {"bacterial": "normal", "viral": "normal"}
    assert groups.left_out == ("subtype normal: it is a whole class and no part of one",)
    assert groups.rows["bacterial"].sum() == 120
    assert (label[groups.rows["viral"]] == 0).sum() == 50


def test_ages_are_cut_into_fourths():
    label, age = np.tile([0, 1], 400), np.arange(800) / 10
    groups = subgroups.groups(label, age.astype(str), "age")
    assert [int(own.sum()) for own in groups.rows.values()] == [200] * 4
    assert next(iter(groups.rows)) == "a: 0 to 19.975"


def test_holm_is_statsmodels_and_leaves_undefined_ones_alone():
    p = [0.01, 0.04, 0.03, 0.8, 0.03]
    assert subgroups.holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())
    again = subgroups.holm([0.02, float("nan"), 0.01])
    assert again[0] == pytest.approx(0.02)
    assert np.isnan(again[1])


def models(rng, effect, n=240):
    """Two models on n images of two groups; the first is better by `effect` (in z) in each group."""
    label, group, common = rng.integers(0, 2, n), np.repeat(["x", "y"], n // 2), rng.normal(size=n)
    made = []
    for extra in (effect, (0.0, 0.0)):
        gain = np.where(group == "x", *extra)
        z = (1.2 + gain) * label + common + 0.6 * rng.normal(size=n)
        made.append(
            Predictions(
                image=np.arange(n).astype(str), patient=np.arange(n).astype(str), subtype=label.astype(str),
                hash=np.arange(n).astype(str), label=label, probability=norm.cdf(z - 0.6),
                operating=OperatingPoint(0.5, "0.5"), columns={"g": group},
            )
        )  # fmt: skip
    return made


def judged(one, other, resamples=300):
    groups = subgroups.groups(one.label, one.columns["g"])
    differences = subgroups.differences([one], [other], groups.rows, "auroc", resamples=resamples)
    return differences, subgroups.interaction(*differences)


def test_differences_are_those_of_each_group_alone():
    one, other = models(np.random.default_rng(0), (0.5, 0.0))
    (points, (patients,)), interaction = judged(one, other)
    for value, group in zip(points, "xy", strict=True):
        own = one.columns["g"] == group
        areas = [point_of_probabilities(m.label[own], m.probability[own])["auroc"] for m in (one, other)]
        assert value == pytest.approx(areas[0] - areas[1])
    assert patients.df == 239
    covariance = patients.covariance
    t2 = (points[0] - points[1]) ** 2 / (covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert pytest.approx(t2) == interaction.F  # of two groups F is t squared
    assert interaction.df == (1, pytest.approx(239))


def test_interaction_of_means_is_welch_s_test_and_of_one_source_hotelling_s():
    from scipy.stats import f, ttest_ind

    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 1, 12), rng.normal(0.5, 3, 7)
    sources = [
        subgroups.Source(np.diag([x.var(ddof=1) / 12, 0.0]), 11),
        subgroups.Source(np.diag([0.0, y.var(ddof=1) / 7]), 6),
    ]
    welch = ttest_ind(x, y, equal_var=False)
    interaction = subgroups.interaction(np.array([x.mean(), y.mean()]), sources)
    assert interaction.p == pytest.approx(welch.pvalue)
    assert interaction.df[1] == pytest.approx(welch.df)

    Z = rng.normal([0, 0.4, 0.8], size=(20, 3))
    D = Z[:, :2] - Z[:, 2:]
    T2 = 20 * D.mean(0) @ np.linalg.solve(np.cov(D, rowvar=False), D.mean(0))
    one = [subgroups.Source(np.cov(Z, rowvar=False) / 20, 19)]
    assert subgroups.interaction(Z.mean(0), one).p == pytest.approx(f.sf(T2 * 18 / (19 * 2), 2, 18))


@pytest.mark.slow
def test_interaction_keeps_its_level_and_finds_what_is_there():
    rng = np.random.default_rng(4)
    level = np.mean([judged(*models(rng, (0.3, 0.3)), 200)[1].p < 0.05 for _ in range(400)])
    power = np.mean([judged(*models(rng, (1.5, -0.5)), 200)[1].p < 0.05 for _ in range(40)])
    assert 0.02 < level < 0.085
    assert power > 0.8
