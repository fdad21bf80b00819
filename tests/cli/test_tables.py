import pytest

from pneumobench.cli.tables import cell, number
from pneumobench.evaluation.estimates import Estimate


@pytest.mark.parametrize(
    ("value", "text"), [(0.9123, ".912"), (0.9996, "1.00"), (1, "1.00"), (0, ".000"), (1.5, "1.50")]
)
def test_a_figure_takes_four_characters(value, text):
    assert number(value) == text


def test_a_cell_shows_value_spread_and_interval():
    nan = float("nan")
    assert cell(Estimate(0.8, 0.75, 0.85)) == ".800 [.750, .850]"
    assert cell(Estimate(0.8, 0.75, 0.85, 0.02)) == ".800 ± .020 [.750, .850]"
    assert cell(Estimate(0.8, nan, nan)) == ".800"
    assert cell(Estimate(nan, nan, nan)) == "-"
