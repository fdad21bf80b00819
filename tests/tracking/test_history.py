"""Epochs wait for a store that does not answer."""

import pytest

from pneumobench.errors import TrackingError
from pneumobench.tracking import history
from pneumobench.tracking.history import History


class Run:
    def __init__(self):
        self.is_away, self.taken, self.calls = False, [], 0

    def history(self, steps):
        self.calls += 1
        if self.is_away:
            raise TrackingError("cannot use the tracking store")
        self.taken += steps


def test_what_the_store_did_not_take_goes_with_the_next_epochs(monkeypatch):
    run = Run()
    log = History(run)
    log.add(1, {"loss": 1.0})
    run.is_away = True
    log.add(2, {"loss": 2.0})
    log.add(3, {"loss": 3.0})
    assert run.calls == 2  # not at every epoch, as an attempt takes a while
    assert [number for number, _ in log.waiting] == [2, 3]
    with pytest.raises(TrackingError):
        log.write()
    run.is_away = False
    monkeypatch.setattr(history, "LATER", 0.0)
    log.write()
    assert [number for number, _ in run.taken] == [1, 2, 3]
    assert not log.waiting


def test_epochs_are_logged_together_where_they_are_fast():
    run = Run()
    log = History(run, between=60)
    for number in range(1, 5):
        log.add(number, {})
    log.write()
    assert run.calls == 2
    assert [number for number, _ in run.taken] == [1, 2, 3, 4]
