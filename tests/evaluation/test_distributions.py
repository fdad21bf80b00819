"""Every function against scipy.stats, to machine precision."""

import math

import numpy as np
import pytest
from scipy import stats

from pneumobench.evaluation import distributions

TAILS = (1e-12, 0.00125, 0.025, 0.5, 0.8, 0.975)
VALUES = (-40.0, -2.5, 0.0, 1e-9, 1.96, 8.0, math.inf)
FREEDOMS = (0.7, 1.0, 2.5, 9.0, 623.0, 1e7, math.inf)


def close(ours, theirs):
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-300, nan_ok=True)


@pytest.mark.parametrize("tail", TAILS)
def test_what_is_exceeded_with_a_probability(tail):
    close(distributions.normal_isf(tail), stats.norm.isf(tail))
    for df in FREEDOMS:
        assert distributions.student_isf(tail, df) == pytest.approx(stats.t.isf(tail, df), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("value", VALUES)
def test_the_probability_of_more(value):
    close(distributions.normal_sf(value), stats.norm.sf(value))
    for df in FREEDOMS:
        close(distributions.student_sf(value, df), stats.t.sf(value, df))
    for above, below in ((1, 4), (3.0, 58.0), (7, 600)):
        close(distributions.fisher_sf(value, above, below), stats.f.sf(value, above, below))


def test_without_degrees_of_freedom_nothing_is_known():
    for df in (0.0, -1.0, math.nan):
        assert math.isnan(distributions.student_isf(0.025, df))
        assert math.isnan(distributions.student_sf(1.0, df))
        assert math.isnan(distributions.fisher_sf(1.0, 2.0, df))


def test_a_value_that_is_not_known_has_no_probability():
    assert math.isnan(distributions.normal_sf(math.nan))
    assert math.isnan(distributions.student_sf(math.nan, 5.0))
    assert math.isnan(distributions.fisher_sf(math.nan, 2.0, 5.0))


def test_ranks_of_equal_values_are_their_mean():
    rng = np.random.default_rng(0)
    for values in (rng.integers(0, 9, 200) / 9, rng.random(50), np.ones(4)):
        assert np.array_equal(distributions.ranks(values), stats.rankdata(values))


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (3, 3), (5, 10), (4, 10), (7, 31), (210, 500)])
def test_the_sign_test_is_exact(successes, trials):
    close(distributions.binomial_half(successes, trials), stats.binomtest(successes, trials).pvalue)
