"""Runs of other machines are told dead by their heartbeats, runs of this one by their process."""

import time

import pytest

from pneumobench.tracking import heartbeat
from pneumobench.utils import provenance


class Client:
    def __init__(self):
        self.tags = []

    def set_tag(self, run, name, value):
        self.tags.append((run, name, float(value)))
        if len(self.tags) == 1:
            raise OSError("the server is away")


def test_heartbeats_continue_when_one_of_them_is_lost(monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    client, ends = Client(), time.monotonic() + 30
    with heartbeat.beating(client, "r"):
        while len(client.tags) < 3 and time.monotonic() < ends:
            time.sleep(0.01)
    assert [(run, name) for run, name, _ in client.tags[:3]] == [("r", heartbeat.TAG)] * 3
    count = len(client.tags) + 1
    time.sleep(0.1)
    assert len(client.tags) <= count


@pytest.mark.parametrize(
    ("machine", "pid", "age", "dead"),
    [
        ("here", "own", 10_000, False),  # its process is there, whatever its heartbeats say
        ("here", "1999999", 0, True),
        ("another", "own", 10, False),
        ("another", "own", heartbeat.GRACE + 10, True),  # also where the host's name and the process id are ours
        ("another", "own", None, False),
    ],
)
def test_who_is_dead(machine, pid, age, dead):
    tags = provenance.process() | ({} if age is None else {heartbeat.TAG: f"{time.time() - age:.0f}"})
    tags |= {"machine": machine} if machine == "another" else {}
    tags |= {"pid": pid} if pid != "own" else {}
    assert heartbeat.is_dead(tags) is dead
