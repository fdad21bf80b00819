import time

import pytest

from pneumobench.utils.timing import Clock


def test_a_phase_inside_a_phase_is_counted_once():
    clock = Clock()
    with clock("outer"):
        time.sleep(0.02)
        with clock("inner"):
            time.sleep(0.05)
    with clock("inner"):
        time.sleep(0.01)
    seconds = clock.seconds()
    assert seconds["inner"] >= 0.06
    assert 0.02 <= seconds["outer"] < 0.05
    assert seconds["outer"] + seconds["inner"] == pytest.approx(seconds["total"], abs=0.01)


def test_a_phase_that_fails_is_counted_too():
    clock = Clock()
    with pytest.raises(ValueError, match="x"), clock("work"):
        raise ValueError("x")
    assert set(clock.seconds()) == {"work", "total"}
