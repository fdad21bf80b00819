import pytest

from pneumobench.data.options import DataOptions
from pneumobench.errors import UsageError
from pneumobench.experiment.options import gathered
from pneumobench.training.options import TrainOptions


def test_options_are_values_or_fields_by_name():
    data, train = gathered("x", None, {"limit": 5, "seeds": 2})
    assert (data, train) == (DataOptions(data="x", limit=5), TrainOptions(seeds=2))
    data, train = gathered(DataOptions(limit=5), TrainOptions(seed=1), {"seeds": 3})
    assert (data, train) == (DataOptions(limit=5), TrainOptions(seed=1, seeds=3))


def test_an_unknown_option_is_named_with_the_nearest_one():
    with pytest.raises(UsageError, match="no option named 'opochs'; did you mean 'epochs'"):
        gathered(None, None, {"opochs": 3})
