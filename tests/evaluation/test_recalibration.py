"""Calibration in the large and slope: against statsmodels, and on probabilities that were bent on purpose."""

import numpy as np
import pytest
import statsmodels.api as sm

from pneumobench.evaluation import recalibration
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions


@pytest.fixture
def bent():
    """2,000 labels of 500 patients, and probabilities too extreme by a factor of 2 and too high by 0.7 in log odds."""
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1.5, 2000)
    label = (rng.random(2000) < 1 / (1 + np.exp(-true))).astype(int)
    return label, 1 / (1 + np.exp(-(2 * true + 0.7))), np.repeat(np.arange(500), 4).astype(str)


def test_they_are_the_coefficients_of_logistic_regression_with_clustered_errors(bent):
    label, probability, patient = bent
    log_odds = np.log(probability / (1 - probability))
    clusters = {"groups": patient.astype(int), "use_correction": False}
    ones = np.ones(len(label))
    large = sm.GLM(label, ones, family=sm.families.Binomial(), offset=log_odds).fit(
        cov_type="cluster", cov_kwds=clusters, tol=1e-12
    )
    line = sm.GLM(label, np.column_stack([ones, log_odds]), family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds=clusters, tol=1e-12
    )
    correction = np.sqrt(500 / 499)
    assert recalibration.in_the_large(*bent) == pytest.approx((large.params[0], large.bse[0] * correction), rel=1e-6)
    assert recalibration.slope(*bent) == pytest.approx((line.params[1], line.bse[1] * correction), rel=1e-6)


def test_bent_probabilities_are_found_out_and_honest_ones_are_not(bent):
    label, probability, patient = bent
    slope, error = recalibration.slope(label, probability, patient)
    assert abs(slope - 0.5) < 3 * error < 0.2
    straight = 1 / (1 + np.exp(-(np.log(probability / (1 - probability)) - 0.7) / 2))
    for figure, expected in ((recalibration.in_the_large, 0), (recalibration.slope, 1)):
        value, error = figure(label, straight, patient)
        assert abs(value - expected) < 3 * error


def test_what_has_no_finite_answer_is_undefined():
    label, patient = np.r_[np.zeros(20, int), np.ones(20, int)], np.arange(40).astype(str)
    assert np.isnan(
        recalibration.slope(label, np.where(label == 1, 0.9, 0.1) + np.linspace(-0.05, 0.05, 40), patient)[0]
    )
    assert np.isnan(recalibration.in_the_large(np.ones(40, int), np.full(40, 0.5), patient)[0])


def test_of_several_trainings_the_mean_has_an_interval_over_patients(bent):
    label, probability, patient = bent
    models = [
        Predictions(
            image=patient,
            patient=patient,
            subtype=patient,
            hash=patient,
            label=label,
            probability=p,
            operating=OperatingPoint(0.5, "0.5"),
        )
        for p in (probability, np.sqrt(probability))
    ]
    figures = recalibration.diagnoses(models)
    both = [recalibration.slope(label, one.probability, patient)[0] for one in models]
    assert figures["calibration_slope"].value == pytest.approx(np.mean(both))
    assert figures["calibration_slope"].sd == pytest.approx(np.std(both, ddof=1))
    assert figures["calibration_slope"].low < figures["calibration_slope"].value < figures["calibration_slope"].high
