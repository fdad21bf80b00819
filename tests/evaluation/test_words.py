import pytest

from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.words import difference, figure, number, p_value, signed

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"), [(0.9123, ".912"), (0.9996, "1.00"), (1, "1.00"), (0, ".000"), (1.5, "1.50")]
)
def test_a_number_takes_four_characters(value, text):
    assert number(value) == text


def test_a_figure_shows_value_spread_and_interval():
    assert figure(Estimate(0.8, 0.75, 0.85)) == ".800 [.750, .850]"
    assert figure(Estimate(0.8, 0.75, 0.85, 0.02)) == ".800 ± .020 [.750, .850]"
    assert figure(Estimate(0.8, NAN, NAN)) == ".800"
    assert figure(Estimate(NAN, NAN, NAN)) == "-"


def test_a_difference_shows_its_signs():
    assert difference(0.0241, 0.005, -0.045) == "+0.024 [+0.005, -0.045]"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, ".012"), (0.0009, "<.001"), (0.001, ".001"), (1, "1.000"), (None, "-"), (NAN, "-")]
)
def test_a_p_value_is_never_zero(value, text):
    assert p_value(value) == text


def test_figures_that_may_be_negative_have_a_sign():
    assert signed(Estimate(-1.304, -1.5, 0.01)) == "-1.30 [-1.50, +0.01]"
    assert signed(Estimate(float("nan"), 0, 0)) == "-"
