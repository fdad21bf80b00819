"""Calibrators: isotonic regression against scikit-learn's, temperature against an optimiser, and what cards keep."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

from pneumobench.errors import UsageError
from pneumobench.evaluation import calibrator, metrics


def overconfident(n=4000, seed=0, factor=3.0):
    """Labels, and probabilities whose log odds are `factor` times too large."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(np.int8)
    return labels, 1 / (1 + np.exp(-factor * z))


def test_temperature_finds_how_far_the_log_odds_are_too_large():
    labels, p = overconfident()
    fitted = calibrator.fit("temperature", labels, p)
    z = np.log(p / (1 - p))
    found = minimize_scalar(lambda t: log_loss(labels, 1 / (1 + np.exp(-z / t))), bounds=(0.1, 20), method="bounded")
    assert fitted.temperature == pytest.approx(found.x, rel=1e-3)
    assert fitted.temperature == pytest.approx(3.0, rel=0.1)
    before, after = (metrics.point_of_probabilities(labels, one) for one in (p, fitted(p)))
    assert after["auroc"] == before["auroc"]
    assert np.array_equal(fitted(p) >= 0.5, p >= 0.5)
    assert after["ece"] < 0.03 < 0.1 < before["ece"]


def test_isotonic_regression_is_scikit_learn_s_with_ties_and_beyond_the_ends():
    labels, p = overconfident(300)
    p = np.round(p, 2)
    fitted = calibrator.fit("isotonic", labels, p)
    other = IsotonicRegression(out_of_bounds="clip").fit(p, labels)
    new = np.linspace(0, 1, 501)
    np.testing.assert_allclose(fitted(new), other.predict(new), atol=1e-9)
    assert np.all(np.diff(fitted(new)) >= 0)


def test_classes_that_are_wholly_apart_and_the_wrong_way_round_stay_within_bounds():
    labels, p = np.repeat([0, 1], 20), np.repeat([0.3, 0.7], 20)
    assert calibrator.fit("temperature", labels, p).temperature == pytest.approx(1 / calibrator.STEEPEST)
    assert calibrator.fit("temperature", 1 - labels, p).temperature == pytest.approx(calibrator.STEEPEST)
    same = calibrator.fit("isotonic", labels, np.full(40, 0.2))
    np.testing.assert_allclose(same(np.array([0.0, 0.2, 1.0])), 0.5)


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
def test_a_card_gives_the_same_calibrator_again(kind):
    fitted = calibrator.fit(kind, *overconfident(200))
    again = calibrator.of_card(json.loads(json.dumps(fitted.card())))
    p = np.random.default_rng(1).random(50)
    np.testing.assert_array_equal(again(p), fitted(p))


def test_none_is_no_calibrator_and_another_word_is_one_line():
    assert calibrator.fit("none", *overconfident(50)) is None
    assert calibrator.of_card(None) is None
    with pytest.raises(UsageError, match="--calibrate is one of temperature, isotonic, none, not 'platt'"):
        calibrator.fit("platt", *overconfident(50))
