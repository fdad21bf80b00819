"""What a difference needs, from the variances of the real trainings."""

from pathlib import Path

import pytest

from pneumobench.comparison.compare import compare
from pneumobench.comparison.plan import plan
from pneumobench.errors import UsageError
from pneumobench.tracking import export

RESULTS = Path(__file__).parents[2] / "results"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs():
    return export.read(RESULTS)


def test_what_three_trainings_find_is_what_compare_says(runs):
    made = plan(runs, ["residual", "augmented"])
    said = {pair.plugin: pair.detectable for pair in compare(runs, ["residual", "augmented"], resamples=2000).pairs}
    for need in made.needs:
        assert need.detectable[3] == pytest.approx(said[need.plugin], rel=0.1)
        assert need.floor < need.detectable[10] < need.detectable[5] < need.detectable[3]


def test_a_small_difference_is_never_shown_on_these_patients_and_a_large_one_by_few_trainings(runs):
    (need,) = plan(runs, ["residual"], difference=0.01).needs
    assert need.trainings is None
    assert need.floor > 0.01
    made = plan(runs, ["residual"], difference=0.05)
    assert made.needs[0].trainings == 3
    assert "is found with a probability of 0.8 by 3 trainings a side" in made.sentences()[0]


def test_curves_are_drawn_or_the_fault_is_one_line(runs, tmp_path):
    made = plan(runs, ["residual"])
    assert made.draw(tmp_path / "plan.png").stat().st_size > 5000
    with pytest.raises(UsageError, match="cannot write"):
        made.draw(tmp_path / "none" / "plan.png")


def test_single_trainings_are_left_out_or_refused(runs):
    assert plan(runs, ["residual", "thumbnail"]).left_out == ("thumbnail: one training",)
    with pytest.raises(UsageError, match="two trainings"):
        plan(runs, ["thumbnail"])
    with pytest.raises(UsageError, match="--difference is above 0"):
        plan(runs, difference=0)
