"""What is compared does not depend on the order of runs or of a set."""

import pytest

from pneumobench.comparison.select import pick
from pneumobench.errors import UsageError


@pytest.fixture
def two_divisions(run):
    """Two plugins, each on both splits: no division is more common than the other."""
    tags = {"dataset": "x", "fingerprint": "f"}
    official = {"split": "official", "split_digest": "o"}
    return [
        run(0, **tags, **official),
        run(1, **tags),
        run(2, **tags, plugin="b", **official),
        run(3, **tags, plugin="b"),
    ]


def test_of_equally_common_divisions_the_patient_split_is_compared_and_said(two_divisions):
    for runs in (two_divisions, two_divisions[::-1]):
        selection = pick(runs, [], "a")
        assert {one.runs[0].run_id for one in selection.experiments} == {"run1", "run3"}
        assert selection.division == "Divided by patient, split seed 0 (--split chooses)"


def test_the_split_can_be_chosen(two_divisions):
    selection = pick(two_divisions, [], "a", "official")
    assert {one.runs[0].run_id for one in selection.experiments} == {"run0", "run2"}
    with pytest.raises(UsageError, match="--split is one of patient, official, not 'random'"):
        pick(two_divisions, [], "a", "random")
