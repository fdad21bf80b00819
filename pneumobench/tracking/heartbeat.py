"""Heartbeats of running runs: whether a run of another machine or container still runs is told by nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pneumobench.utils import provenance

TAG = "heartbeat"
BEAT, GRACE = 30, 300  # seconds between heartbeats, and without one until a run elsewhere is considered dead


def first() -> dict[str, str]:
    """The tag of a run that starts now: seconds since 1970."""
    return {TAG: f"{time.time():.0f}"}


@contextmanager
def beating(client: Any, run_id: str) -> Iterator[None]:
    """Renew the run's heartbeat from a thread, as one epoch may take longer than `GRACE`."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            with suppress(Exception):  # the store may be away for a while
                client.set_tag(run_id, *first().popitem())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def is_dead(tags: Mapping[str, str]) -> bool:
    """Whether a RUNNING run's process has ended: looked up where it ran on this machine, else by its heartbeats.

    Machines that share a store need clocks that agree within `GRACE` seconds.
    """
    alive = provenance.is_alive(dict(tags))
    if alive is not None:
        return not alive
    try:
        return time.time() - float(tags[TAG]) > GRACE
    except (KeyError, ValueError):
        return False
