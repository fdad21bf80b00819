"""What decisions are worth: net benefit, selective prediction, conformal sets."""

import numpy as np
import pytest

from pneumobench.evaluation import calibration, conformal, net_benefit, selective
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions


@pytest.fixture
def said():
    rng = np.random.default_rng(3)
    label = (rng.random(400) < 0.4).astype(int)
    return label, np.round(np.clip(0.25 + 0.4 * label + rng.normal(0, 0.2, 400), 0.01, 0.99), 2)


def test_net_benefit_counts_true_positives_less_false_ones_at_the_thresholds_odds(said):
    label, probability = said
    found = net_benefit.net_benefit(label, probability)
    for t, value in zip(net_benefit.THRESHOLDS, found, strict=True):
        true, false = ((probability >= t) & (label == y) for y in (1, 0))
        assert value == pytest.approx((true.sum() - false.sum() * t / (1 - t)) / 400)


def test_treating_all_is_worth_nothing_at_the_share_of_the_ill_and_that_share_at_no_cost():
    """Both follow from Vickers and Elkin's formula; 1 of 4 is ill."""
    label = np.array([1, 0, 0, 0])
    at = net_benefit.of_treating_all(label, np.array([1e-9, 0.25, 0.5]))
    assert at == pytest.approx([0.25, 0, 0.25 - 0.75])
    assert net_benefit.net_benefit(label, np.ones(4), np.array([0.25, 0.5])) == pytest.approx(at[1:])
    assert net_benefit.net_benefit(label, label.astype(float), np.array([0.1, 0.9])) == pytest.approx([0.25, 0.25])


def test_a_model_errs_less_often_where_it_answers_only_what_it_is_sure_of(said):
    label, probability = said
    curve = selective.curve(label, probability, 0.5)
    assert curve.errors[-1] == pytest.approx(np.mean((probability >= 0.5) != label))
    assert curve.errors[49] < curve.errors[-1]
    order = np.argsort(-np.abs(np.log(probability / (1 - probability))), kind="stable")
    wrong = ((probability >= 0.5) != label)[order]
    certain = np.abs(np.log(probability / (1 - probability)))[order]
    ends = np.flatnonzero(np.diff(certain) < -1e-9)[5]  # a share that ends between two certainties
    share = selective.curve(label, probability, 0.5, np.array([(ends + 1) / 400]))
    assert share.errors[0] == pytest.approx(wrong[: ends + 1].mean())


def test_equally_certain_images_are_answered_in_equal_shares():
    curve = selective.curve(np.array([1, 0, 1, 0]), np.full(4, 0.8), 0.5, np.array([0.25, 0.5, 1.0]))
    assert curve.errors == pytest.approx([0.5, 0.5, 0.5])


def test_a_weight_is_so_many_images(said):
    """Weights of a resample give what the images themselves, repeated, would."""
    label, probability = said
    W = np.random.default_rng(1).integers(0, 4, (3, 400)).astype(np.float32)
    errors, benefits = selective.errors(label, probability, 0.5, W), net_benefit.benefits(label, probability, W)
    images, ill = calibration.binned(label, probability, W)
    for row, weights in enumerate(W.astype(int)):
        y, p = np.repeat(label, weights), np.repeat(probability, weights)
        assert errors[row] == pytest.approx(selective.curve(y, p, 0.5).errors)
        assert benefits[row] == pytest.approx(net_benefit.net_benefit(y, p))
        drawn = calibration.reliability(y, p)
        assert ill[row][images[row] > 0] / images[row][images[row] > 0] == pytest.approx(drawn.observed)
        assert images[row][images[row] > 0] == pytest.approx(drawn.counts)


def test_conformal_sets_cover_as_promised_on_images_like_the_validations():
    """Over many validation sets of 99 the coverage is 1 - alpha on average, to within simulation's error."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        label = (rng.random(599) < 0.6).astype(int)
        p = 1 / (1 + np.exp(-(2 * label - 1 + rng.normal(0, 1.2, 599))))
        at = conformal.quantile(label[:99], p[:99], 0.1)
        covered.append(np.mean(np.where(label == 1, 1 - p, p)[99:] <= at))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.006)


def test_the_quantile_is_the_rank_that_a_hand_counts():
    label, p = np.ones(9, int), 1 - np.arange(1, 10) / 10
    assert conformal.quantile(label, p, 0.1) == pytest.approx(0.9)  # the 9th of 9
    assert conformal.quantile(label, p, 0.2) == pytest.approx(0.8)
    assert conformal.quantile(label[:5], p[:5], 0.1) == 1.0  # 6 × .9 is above 5


def test_coverage_is_told_by_class_and_by_site():
    model = Predictions(
        image=np.arange(4).astype(str), patient=np.arange(4).astype(str), subtype=np.arange(4).astype(str),
        hash=np.arange(4).astype(str), label=np.array([1, 1, 0, 0]), probability=np.array([0.9, 0.2, 0.1, 0.6]),
        operating=OperatingPoint(0.5, "0.5"), columns={"site": np.array(["a", "b", "a", "b"])},
    )  # fmt: skip
    told = {one.group: one for one in conformal.realised(model, 0.3, "site")}
    assert {name: one.coverage for name, one in told.items()} == {
        "all": 0.5, "normal": 0.5, "pneumonia": 0.5, "a": 1.0, "b": 0.0
    }  # fmt: skip
    assert told["b"].single == 0.5  # of .6 neither label is in the set
    assert told["b"].empty == 0.5
