import pytest

from pneumobench.errors import UsageError
from pneumobench.training.options import TrainOptions


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seeds": 0}, "--seeds is at least 1, not 0"),
        ({"seed": -1}, "--seed is at least 0, not -1"),
        ({"seed": 2**32}, "training seeds are below 4294967296, not 4294967296"),
        ({"folds": 1}, "--folds is at least 2, not 1"),
        ({"folds": 3, "seeds": 2}, "--folds 3 trains one seed 3 times"),
        ({"epochs": 0}, "--epochs is at least 1, not 0"),
        ({"precision": "half"}, "--precision is one of auto, float32, bfloat16, not 'half'"),
        ({"operating_point": "best"}, "--operating-point is youden"),
    ],
)
def test_invalid_options_are_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        TrainOptions(**wrong)


def test_the_seeds_follow_the_first_one():
    assert list(TrainOptions(seed=5, seeds=3).numbers) == [5, 6, 7]
