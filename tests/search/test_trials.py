"""Claims, retries and counts, with outcomes that hypothesis draws; nothing is trained."""

import itertools
import json
from datetime import datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from pneumobench.errors import UsageError
from pneumobench.search.endings import ATTEMPT, ERROR, FIRST, INTERRUPTED, RETRIES, retry
from pneumobench.search.plan import make_plan
from pneumobench.search.storage import Storage
from pneumobench.search.trials import FINISHED, PROCESS, Trials
from pneumobench.utils import provenance

BOUND = {"dataset fingerprint": "abc", "epochs": None}


NAMES = (f"study{number}" for number in itertools.count())
planned = cache(make_plan)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return Storage(f"sqlite:///{tmp_path_factory.mktemp('storage')}/studies.db", stale=retry)


def opened(storage, file="quick", target=5, bound=BOUND, name=None):
    trials = Trials.open_or_create(storage, name or next(NAMES), planned(file), bound)
    trials.set_target(target)
    return trials


def test_no_more_is_claimed_than_is_wanted(storage):
    trials = opened(storage, target=3)
    claims = [trials.claim() for _ in range(3)]
    assert all(claims)
    assert trials.claim() is None
    trials.complete(claims[0], 0.5)
    trials.fail(claims[1], "it broke")
    again = trials.claim()
    assert again.knobs == claims[1].knobs
    assert again.trial.user_attrs[FIRST] == claims[1].number


def test_a_trial_is_tried_at_most_three_times(storage):
    trials = opened(storage, target=1)
    seen = []
    for _ in range(RETRIES + 2):
        claim = trials.claim()
        seen.append(claim.knobs["C"])
        trials.fail(claim, "it broke")
    assert len(set(seen[: RETRIES + 1])) == 1
    assert seen[-1] != seen[0]
    assert [t.user_attrs.get(ATTEMPT, 0) for t in trials.all(TrialState.FAIL)] == [0, 1, 2, 0]
    assert all(t.user_attrs[ERROR] == "it broke" for t in trials.all(TrialState.FAIL))


def test_an_interruption_is_not_counted_as_a_failure(storage):
    trials = opened(storage, target=1)
    began = datetime.now()
    for _ in range(RETRIES + 3):
        trials.interrupt(trials.claim())
    (waiting,) = trials.all()
    assert (waiting.number, waiting.state, waiting.user_attrs[ERROR]) == (0, TrialState.WAITING, INTERRUPTED)
    assert trials.failures(began) == []


def test_failures_are_counted_from_the_last_one_back(storage):
    trials = opened(storage, target=9)
    began = datetime.now()
    trials.fail(trials.claim(), "a")
    trials.complete(trials.claim(), 0.5)
    for _ in range(3):
        trials.fail(trials.claim(), "b")
    assert [t.user_attrs[ERROR] for t in trials.failures(began)] == ["b"] * 3
    assert trials.failures(datetime.now()) == []


def killed(claim):
    claim.trial.set_user_attr(PROCESS, {**provenance.process(), "pid_started": "1.00"})


def test_a_dead_process_s_trial_is_resumed_under_its_number_at_the_next_claim(storage):
    trials = opened(storage, target=1)
    claim = trials.claim()
    assert trials.claim() is None  # it is ours, and we are alive
    claim.trial.report(0.25, 1)
    killed(claim)
    again = trials.claim()
    assert (again.number, again.knobs) == (claim.number, claim.knobs)
    assert trials.reported(again) == {1}
    assert again.trial.user_attrs[ERROR] == "the process was killed"
    trials.complete(again, 0.5)
    (done,) = trials.all()
    assert (done.state, done.value, done.intermediate_values) == (TrialState.COMPLETE, 0.5, {1: 0.25})


def test_a_trial_that_kills_its_process_every_time_fails(storage):
    trials = opened(storage, target=1)
    began = datetime.now()
    for _ in range(RETRIES + 1):
        claim = trials.claim()
        assert claim.number == 0
        killed(claim)
    assert trials.claim().number == 1
    assert [trial.number for trial in trials.failures(began)] == [0] * (RETRIES + 1)


def test_another_machine_s_trial_is_left_alone_unless_it_is_known_to_be_dead(storage):
    trials = opened(storage, target=1)
    elsewhere = {"host": "elsewhere", "machine": "another", "pid": "1", "pid_started": "1.00"}
    trials.claim().trial.set_user_attr(PROCESS, elsewhere)
    trials.end_dead()
    assert len(trials.running()) == 1
    trials.end_dead("the process was killed", [elsewhere])
    assert trials.running() == []


def test_a_study_refuses_settings_that_it_was_not_started_with(storage):
    opened(storage, name="quick")
    with pytest.raises(UsageError, match=r"epochs: None there, 3 here\); --as"):
        opened(storage, bound={**BOUND, "epochs": 3}, name="quick")
    with pytest.raises(UsageError, match="no study in the storage named 'quikc'; did you mean 'quick'"):
        Trials(storage, "quikc")


def test_a_grid_is_tried_once_and_then_exhausted(storage):
    trials = opened(storage, "grid", target=50)
    seen = []
    while claim := trials.claim():
        seen.append(json.dumps(claim.trial.params, sort_keys=True))
        trials.complete(claim, 0.5)
    assert len(seen) == len(set(seen)) == 5
    assert trials.is_exhausted()
    assert not trials.is_done()


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["complete", "prune", "fail", "hold"]), max_size=25), st.integers(1, 6))
def test_whatever_happens_the_counts_hold(storage, outcomes, target):
    trials = opened(storage, target=target)
    for outcome in outcomes:
        claim = trials.claim()
        under_way = len(trials.all(*FINISHED, TrialState.RUNNING))
        assert under_way <= target
        if claim is None:
            assert under_way == target
        elif outcome == "complete":
            trials.complete(claim, 0.5)
        elif outcome == "prune":
            trials.prune(claim)
        elif outcome == "fail":
            trials.fail(claim, "it broke")
    for trial in trials.all():
        assert trial.user_attrs.get(ATTEMPT, 0) <= RETRIES
