import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from pneumobench.errors import UsageError
from pneumobench.evaluation.operating_point import check_rule, choose, choose_all

scores = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=4, max_size=60).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def rates(probabilities, labels, threshold):
    said = probabilities >= threshold
    return said[labels == 1].mean(), 1 - said[labels == 0].mean()


@given(scores)
def test_youden_reaches_the_largest_j_of_the_roc_curve(rows):
    p, y = np.array([s for s, _ in rows]), np.array([label for _, label in rows])
    point = choose("youden", p, y)
    false, true, _ = roc_curve(y, p)
    assert sum(rates(p, y, point.threshold)) - 1 == pytest.approx((true - false).max())


@given(scores, st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_a_wanted_sensitivity_is_reached_with_the_best_specificity(rows, wanted):
    p, y = np.array([s for s, _ in rows]), np.array([label for _, label in rows])
    sensitivity, specificity = rates(p, y, choose(f"sensitivity={wanted}", p, y).threshold)
    assert sensitivity >= wanted - 1e-9
    best = max(rates(p, y, t)[1] for t in p if rates(p, y, t)[0] >= wanted - 1e-9)
    assert specificity >= best - 1e-9
    as_specific = [rates(p, y, t) for t in p if rates(p, y, t)[1] >= specificity - 1e-9]
    assert sensitivity >= max((r[0] for r in as_specific), default=0) - 1e-9


def test_a_tie_is_counted_and_the_threshold_nearest_one_half_taken():
    p, y = np.array([0.1, 0.2, 0.7, 0.9]), np.array([0, 1, 0, 1])
    point = choose("youden", p, y)
    assert point.is_tie
    assert point.ties == 2, "between .1 and .2, and above .7, J is one half"
    assert point.threshold == pytest.approx(0.8)


def test_classes_apart_leave_no_tie():
    point = choose("youden", np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]))
    assert (point.threshold, point.ties) == (0.5, 1)


def test_a_number_is_a_threshold():
    assert choose("0.3", np.array([0.1, 0.9]), np.array([0, 1])).threshold == 0.3


@pytest.mark.parametrize("wrong", ["jouden", "sensitivity", "sensitivity=0", "sensitivity=2", "0", "1.5", "nan"])
def test_an_unknown_rule_is_refused(wrong):
    with pytest.raises(UsageError, match="--operating-point is youden, sensitivity=S"):
        check_rule(wrong)


@given(scores, st.integers(0, 1000), st.sampled_from(["youden", "sensitivity=0.8"]))
def test_the_threshold_of_weights_is_that_of_the_repeated_images(rows, seed, rule):
    p, y = np.array([s for s, _ in rows]), np.array([label for _, label in rows])
    W = np.random.default_rng(seed).integers(0, 3, (5, len(p)))
    W[0] = 1
    for weights, threshold in zip(W, choose_all(rule, p, y, W)[0], strict=True):
        again = np.repeat(np.arange(len(p)), weights)
        if len(np.unique(y[again])) < 2:
            assert np.isnan(threshold)
            continue
        found, expected = (
            rates(p[again], y[again], t) for t in (threshold, choose(rule, p[again], y[again]).threshold)
        )
        assert (sum(found) if rule == "youden" else found[1]) == pytest.approx(
            sum(expected) if rule == "youden" else expected[1]
        )
