"""Workers kept busy until the study holds what it is to hold: replaced when they die, renewed when they grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime

from optuna.trial import FrozenTrial

from pneumobench.errors import PneumobenchError, TrainingError
from pneumobench.search.engine import Engine
from pneumobench.search.hosts import Host, WorkerDied
from pneumobench.search.job import Job
from pneumobench.search.trials import IN_A_ROW, INTERRUPTED, KILLED, Trials

GROWTH = 1_000_000_000  # bytes that a worker may grow by before it is renewed
PAUSE = 0.3  # seconds between two looks whether there is work again
DEATHS = 3  # at the start, one after the other, that end a study


class Supervisor:
    """Threads that each keep one worker busy; all that is to be known of trials is in the storage."""

    def __init__(self, engine: Engine, job: Job, trials: Trials):
        self._engine, self._job, self._trials = engine, job, trials
        self._over = threading.Event()
        self._hosts: list[Host] = []
        self._lock = threading.Lock()
        self._began = datetime.now()
        self._futures: list[Future[None]] = []
        self.renewed = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The workers train while the block runs; on leaving it they are ended, and their trials with them."""
        with ThreadPoolExecutor(self._engine.workers) as pool:
            self._futures = [pool.submit(self._keep_busy, slot) for slot in range(self._engine.workers)]
            try:
                yield
            finally:
                self._leave()
        for future in self._futures:
            future.result()

    @property
    def is_over(self) -> bool:
        """Whether all workers are through, or one met what ends a study."""
        return all(one.done() for one in self._futures) or any(one.done() and one.exception() for one in self._futures)

    def failures(self) -> list[FrozenTrial]:
        """The last trials that failed one after the other, if they are enough to end the study."""
        found = self._trials.failures(self._began)
        return found[:IN_A_ROW] if len(found) >= IN_A_ROW else []

    def _keep_busy(self, slot: int) -> None:
        host = self._add(self._engine.start(slot, self._job, check=slot == 0))
        first: int | None = None  # bytes of memory before its first trial
        successor: Host | None = None
        deaths = 0
        while not self._over.is_set() and not self._trials.is_done() and not self.failures():
            try:
                first = host.ready() if first is None else first
                report = host.trial()
            except WorkerDied as death:
                if self._over.is_set():
                    return
                deaths += host.process is None
                if deaths >= DEATHS:
                    raise TrainingError(f"{DEATHS} workers died before their first trial: {death}") from None
                self._trials.end_dead(KILLED, [host.process] if host.process else [])
                host, first = self._add(self._engine.revive(slot, self._job, host)), None
                continue
            if report is None:
                if self._is_idle_for_good():
                    return
                time.sleep(PAUSE)
                continue
            deaths = 0
            if successor is not None and successor.is_ready():
                host.stop()
                host, first, successor = successor, None, None
                self.renewed += 1
            elif successor is None and report.memory - (first or 0) > GROWTH:
                if self._engine.ahead:
                    successor = self._add(self._engine.start(slot, self._job))
                    continue
                host.stop()
                host, first = self._add(self._engine.start(slot, self._job)), None
                self.renewed += 1

    def _is_idle_for_good(self) -> bool:
        """Whether a worker without work will have none: the study is done, or a grid has nothing left."""
        return self._trials.is_done() or (self._trials.is_exhausted() and not self._trials.running())

    def _add(self, host: Host) -> Host:
        with self._lock:
            self._hosts.append(host)
        return host

    def _leave(self) -> None:
        unfinished = not all(one.done() for one in self._futures)
        self._over.set()
        with self._lock:
            hosts = list(self._hosts)
        stopping = [threading.Thread(target=host.stop) for host in hosts]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        with suppress(PneumobenchError):
            known = [host.process for host in hosts if host.process]
            self._trials.end_dead(INTERRUPTED if unfinished else KILLED, known)
