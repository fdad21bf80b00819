from pathlib import Path

import pytest

from pneumobench.data.options import DataOptions
from pneumobench.errors import UsageError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"split": "random"}, "--split is one of patient, official, not 'random'"),
        ({"split_seed": -1}, "--split-seed is at least 0, not -1"),
        ({"limit": 0}, "--limit is at least 1, not 0"),
    ],
)
def test_what_no_split_can_meet_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        DataOptions(**wrong)


def test_a_folder_is_kept_as_text_so_that_a_study_can_store_it():
    assert DataOptions(data=Path("x-rays")).data == "x-rays"
