"""Ctrl-C during calls to a database leaves no lock behind."""

import os
import random
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest
import sqlalchemy

from pneumobench.errors import Terminated
from pneumobench.utils.interrupts import outside_databases


def test_interrupts_during_writes_leave_the_database_unlocked(tmp_path):
    path = tmp_path / "one.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table t (a)"))
    rng = random.Random(0)
    with outside_databases():
        for _ in range(40):
            timer = threading.Timer(rng.uniform(0, 0.01), os.kill, [os.getpid(), signal.SIGINT])
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 (where it is raised is what varies)
                timer.start()
                ends = time.monotonic() + 30
                while time.monotonic() < ends:
                    with engine.begin() as connection:
                        connection.execute(sqlalchemy.text("insert into t values (1)"))
            timer.join()
            with closing(sqlite3.connect(path, timeout=1)) as other:
                other.execute("insert into t values (2)")
                other.commit()
    engine.dispose()


def test_a_signal_in_a_call_to_a_database_is_raised_when_it_has_returned():
    said = []

    def call():
        os.kill(os.getpid(), signal.SIGTERM)
        said.append("the call goes on")

    its_module = {"__name__": "sqlalchemy.x", "os": os, "signal": signal}
    called = type(call)(call.__code__, its_module, closure=call.__closure__)
    with pytest.raises(Terminated) as ended, outside_databases(signal.SIGTERM):  # noqa: PT012
        called()
        len(said)
        said.append("not reached")
    assert said == ["the call goes on"]
    assert ended.value.code == 143


def test_handlers_are_put_back_and_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interrupt = signal.getsignal(signal.SIGINT)
        with outside_databases(signal.SIGHUP):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGINT) is interrupt
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_thread_changes_no_handler():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    @outside_databases()
    def work():
        seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
