import numpy as np
import pytest

from pneumobench.evaluation import power
from pneumobench.evaluation.variance import Spread, Trainings, spread


def side(points, draws):
    return Trainings(np.array(points, float), np.array(draws, float))


def test_the_variance_over_patients_and_trainings_by_hand():
    """Two trainings against three, four resamples; every number below is worked out on paper."""
    one = side([0.8, 0.6], [[0.8, 0.6], [0.9, 0.7], [0.7, 0.5], [0.8, 0.6]])
    other = side([0.5, 0.5, 0.8], [[0.5, 0.5, 0.8], [0.6, 0.4, 0.8], [0.4, 0.6, 0.8], [0.5, 0.5, 0.8]])
    # one: mean .7, .8, .6, .7; its trainings keep their distance, so that i = 0; s² = .02
    assert (one.between, one.interaction) == pytest.approx((0.02, 0.0))
    # other: mean .6 always; the trainings' deviations from it vary by .02 / 3, .02 / 3 and 0, so that i = (.04 / 3) / 2
    assert (other.between, other.interaction) == pytest.approx((0.03, 0.02 / 3))
    found = spread(one.mean - other.mean, [one, other], patients=11)
    P = 0.02 / 3  # of .1, .2, 0, .1
    V = P + 0.02 / 2 + (0.03 - 0.02 / 3) / 3
    assert (found.patients, found.variance) == pytest.approx((P, V))
    assert found.df == pytest.approx(V**2 / (P**2 / 10 + 0.01**2 / 1 + 0.01**2 / 2))


def test_trainings_that_agree_leave_the_patients_variance_alone():
    draws = np.random.default_rng(0).normal(0.8, 0.1, (500, 3))
    found = spread(draws.mean(1), [side([0.8, 0.8, 0.8], draws)], patients=100)
    assert found.variance == pytest.approx(draws.mean(1).var(ddof=1))
    assert found.df == pytest.approx(99)


def test_without_sides_the_trainings_are_held_fixed():
    one = side([0.2, 0.9, 0.4], np.random.default_rng(0).normal(0.5, 0.01, (100, 3)))
    assert spread(one.mean, [], 50).variance == pytest.approx(one.mean.var(ddof=1))


def test_where_no_variance_is_seen_reach_and_tail_are_wilsons_and_agree():
    none = Spread(0.0, 400.0, 0.0, alike=96.0)
    assert none.reach(2.0) == pytest.approx(4 / 100)
    for tail in (0.025, 0.0025):
        assert none.tail(none.reach(none.t(tail))) == pytest.approx(tail)
    assert none.tail(0.0) == 0.5
    assert none.tail(-0.04) == pytest.approx(1 - none.tail(0.04))


KNOWN = power.Components(common=1e-4, interaction=(2e-5, 4e-5), own=(3e-4, 1e-4), patients=400)


def test_planning_returns_the_variance_that_the_trainings_had():
    rng = np.random.default_rng(1)
    common = rng.normal(0, 0.02, (2000, 1))
    sides = [side(rng.normal(0.9, 0.03, 4), common * k + rng.normal(0.9, 0.01, (2000, 4))) for k in (1, 2)]
    known = power.components(*sides, patients=400)
    expected = spread(sides[0].mean - sides[1].mean, sides, 400)
    found = known.spread(4)
    assert (found.variance, found.df) == pytest.approx((expected.variance, expected.df), rel=1e-6)


def test_more_trainings_or_patients_find_smaller_differences_down_to_a_floor():
    by_trainings = [power.detectable(KNOWN, n) for n in (3, 5, 10, 100, 900)]
    assert by_trainings == sorted(by_trainings, reverse=True)
    floor = power.floor(KNOWN)
    assert floor == pytest.approx((1.96 + 0.8416) * 0.01, rel=1e-3)  # of the common variance alone
    assert floor < by_trainings[-1] < 1.05 * floor
    assert power.floor(KNOWN, 1600) == pytest.approx(floor / 2)


def test_needed_numbers_are_the_least_that_are_enough():
    trainings = power.trainings_needed(KNOWN, 0.04)
    assert power.detectable(KNOWN, trainings) <= 0.04 < power.detectable(KNOWN, trainings - 1)
    assert power.trainings_needed(KNOWN, power.floor(KNOWN) * 0.9) is None
    patients = power.patients_needed(KNOWN, 0.04, 10)
    assert power.detectable(KNOWN, 10, patients) <= 0.04 < power.detectable(KNOWN, 10, patients - 1)
    assert power.patients_needed(KNOWN, 0.02, 3) is None, "the trainings alone vary more than that"


def test_a_single_training_plans_nothing():
    from pneumobench.errors import UsageError

    lone = side([0.9], np.full((10, 1), 0.9))
    with pytest.raises(UsageError, match="two trainings of each plugin"):
        power.components(lone, lone, 100)
