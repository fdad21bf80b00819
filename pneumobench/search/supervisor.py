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
from pneumobench.search.endings import INTERRUPTED, KILLED
from pneumobench.search.engine import Engine
from pneumobench.search.handles import WorkerDied, WorkerHandle
from pneumobench.search.job import Job
from pneumobench.search.trials import IN_A_ROW, Trials

GROWTH = 1_000_000_000  # bytes by which a worker's memory may grow before it is replaced
PAUSE = 0.3  # seconds before an idle worker looks for a trial again
DEATHS = 3  # consecutive deaths of a worker on starting that end a study


class Supervisor:
    """Threads that each keep one worker busy; the state of the trials is in the storage alone."""

    def __init__(self, engine: Engine, job: Job, trials: Trials):
        self._engine, self._job, self._trials = engine, job, trials
        self._over = threading.Event()
        self._workers: list[WorkerHandle] = []
        self._lock = threading.Lock()
        self._began = datetime.now()
        self._futures: list[Future[None]] = []
        self.replaced = 0

    @contextmanager
    def running_workers(self) -> Iterator[None]:
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
        futures = self._futures
        return all(future.done() for future in futures) or any(f.done() and f.exception() for f in futures)

    def failures(self) -> list[FrozenTrial]:
        """The latest consecutive failed trials, if there are enough to end the study."""
        failed = self._trials.failures(self._began)
        return failed[:IN_A_ROW] if len(failed) >= IN_A_ROW else []

    def _keep_busy(self, slot: int) -> None:
        worker = self._add(self._engine.start(slot, self._job, check=slot == 0))
        first: int | None = None  # bytes of memory before its first trial
        successor: WorkerHandle | None = None
        deaths = 0
        while not self._over.is_set() and not self._trials.is_done() and not self.failures():
            try:
                first = worker.ready() if first is None else first
                report = worker.trial()
            except WorkerDied as death:
                if self._over.is_set():
                    return
                deaths += worker.process is None
                if deaths >= DEATHS:
                    raise TrainingError(f"{DEATHS} workers died before their first trial: {death}") from None
                self._trials.end_dead(KILLED, [worker.process] if worker.process else [])
                worker, first = self._add(self._engine.restart(slot, self._job, worker)), None
                continue
            if report is None:
                if self._is_idle_for_good():
                    return
                time.sleep(PAUSE)
                continue
            deaths = 0
            if successor is not None and successor.is_ready():
                worker.stop()
                worker, first, successor = successor, None, None
                self.replaced += 1
            elif successor is None and report.memory - (first or 0) > GROWTH:
                if self._engine.has_room:
                    successor = self._add(self._engine.start(slot, self._job))
                    continue
                worker.stop()
                worker, first = self._add(self._engine.start(slot, self._job)), None
                self.replaced += 1

    def _is_idle_for_good(self) -> bool:
        """Whether an idle worker will get no more trials: the study is done, or its grid is exhausted."""
        return self._trials.is_done() or (self._trials.is_exhausted() and not self._trials.running())

    def _add(self, worker: WorkerHandle) -> WorkerHandle:
        with self._lock:
            self._workers.append(worker)
        return worker

    def _leave(self) -> None:
        unfinished = not all(future.done() for future in self._futures)
        self._over.set()
        with self._lock:
            workers = list(self._workers)
        stopping = [threading.Thread(target=worker.stop) for worker in workers]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        with suppress(PneumobenchError):
            known = [worker.process for worker in workers if worker.process]
            self._trials.end_dead(INTERRUPTED if unfinished else KILLED, known)
