"""The same work on every item: in order, counted, and the first error is raised."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pneumobench.utils.threads import BLOCK, each


@given(st.lists(st.integers(), max_size=3 * BLOCK), st.integers(1, 4))
def test_results_stand_in_the_items_order_and_progress_ends_at_all(items, threads):
    said = []
    assert each(lambda item: -item, items, lambda *done: said.append(done), threads) == [-item for item in items]
    assert said[-1:] == ([(len(items), len(items))] if items else [])
    assert said == sorted(said)


def test_no_thread_works_on_after_an_error():
    worked = []

    def work(item):
        time.sleep(0.001)
        worked.append(item)
        if item == BLOCK:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        each(work, range(20 * BLOCK), threads=3)
    done = len(worked)
    time.sleep(0.1)
    assert len(worked) == done < 20 * BLOCK


def test_what_goes_wrong_is_raised():
    with pytest.raises(ZeroDivisionError):
        each(lambda item: 1 // item, [1, 0, 2])
