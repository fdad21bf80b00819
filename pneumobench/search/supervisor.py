"""Keeps workers busy until the study has enough trials; replaces those that die or use too much memory."""

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

GROWTH = 1_000_000_000  # bytes by which a worker's memory may grow before it is replaced
PAUSE = 0.3  # seconds before an idle worker looks for a trial again
DEATHS = 3  # consecutive deaths of a worker on starting that end a study


class Supervisor:
    """Threads that each keep one worker busy; the state of the trials is in the storage alone."""

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
        """The workers train while the block runs; on leaving it they are stopped and their trials ended."""
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
        """Whether all workers are finished, or one raised an error that ends the study."""
        return all(one.done() for one in self._futures) or any(one.done() and one.exception() for one in self._futures)

    def failures(self) -> list[FrozenTrial]:
        """The latest consecutive failed trials, if there are enough to end the study."""
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
        """Whether an idle worker will get no more trials: the study is done, or its grid is exhausted."""
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
