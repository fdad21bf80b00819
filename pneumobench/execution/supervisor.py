"""Keeps workers busy until there is nothing left to train; replaces those that die or use too much memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Protocol

from pneumobench.errors import PneumobenchError, TrainingError
from pneumobench.execution.engine import Engine
from pneumobench.execution.handles import WorkerDied, WorkerHandle
from pneumobench.execution.job import Job

GROWTH = 1_000_000_000  # bytes by which a worker's memory may grow before it is replaced
PAUSE = 0.3  # seconds before an idle worker looks for work again
DEATHS = 3  # consecutive deaths of a worker on starting that end everything


class Tasks(Protocol):
    """What there is to train; asked from several threads, one for each worker."""

    @property
    def is_over(self) -> bool:
        """Whether no worker will get anything more."""

    @property
    def is_idle_for_good(self) -> bool:
        """The same for a worker that found nothing to train."""

    def take(self) -> Any:
        """The next request; None where there is none at the moment."""

    def tell(self, request: Any, told: Mapping[str, Any]) -> None:
        """A worker says how a training goes."""

    def done(self, request: Any, report: Mapping[str, Any]) -> None:
        """A worker reports a request as done."""

    def lost(self, request: Any, death: WorkerDied) -> None:
        """A worker died over a request."""

    def stopped(self, processes: Sequence[Mapping[str, str]], *, finished: bool) -> None:
        """All workers are stopped; not `finished` where some of them were at work."""


class Supervisor:
    """Threads that each keep one worker busy."""

    def __init__(self, engine: Engine, job: Job, tasks: Tasks):
        self._engine, self._job, self._tasks = engine, job, tasks
        self._over = threading.Event()
        self._workers: list[WorkerHandle] = []
        self._lock = threading.Lock()
        self._futures: list[Future[None]] = []
        self.replaced = 0

    @contextmanager
    def running_workers(self) -> Iterator[None]:
        """The workers train while the block runs; on leaving it they are stopped and their trainings ended."""
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
        """Whether all workers are finished, or one raised an error that ends everything."""
        futures = self._futures
        return all(future.done() for future in futures) or any(f.done() and f.exception() for f in futures)

    def _keep_busy(self, slot: int) -> None:
        worker = self._add(self._engine.start(slot, self._job, check=slot == 0))
        first: int | None = None  # bytes of memory before its first training
        successor: WorkerHandle | None = None
        deaths = 0
        while not self._over.is_set() and not self._tasks.is_over:
            request = None
            try:
                first = worker.ready() if first is None else first
                request = self._tasks.take()
                if request is None:
                    time.sleep(PAUSE)
                    continue
                answer = worker.work(request, partial(self._tasks.tell, request))
            except WorkerDied as death:
                if self._over.is_set():
                    return
                deaths += worker.process is None
                if deaths >= DEATHS:
                    raise TrainingError(f"{DEATHS} workers died before their first training: {death}") from None
                self._tasks.lost(request, death)
                worker, first = self._add(self._engine.restart(slot, self._job, worker)), None
                continue
            if answer.report is None:
                if self._tasks.is_idle_for_good:
                    return
                time.sleep(PAUSE)
                continue
            self._tasks.done(request, answer.report)
            deaths = 0
            if successor is not None and successor.is_ready():
                worker.stop()
                worker, first, successor = successor, None, None
                self.replaced += 1
            elif successor is None and answer.memory - (first or 0) > GROWTH:
                if self._engine.has_room:
                    successor = self._add(self._engine.start(slot, self._job))
                    continue
                worker.stop()
                worker, first = self._add(self._engine.start(slot, self._job)), None
                self.replaced += 1

    def _add(self, worker: WorkerHandle) -> WorkerHandle:
        with self._lock:
            self._workers.append(worker)
        return worker

    def _leave(self) -> None:
        finished = all(future.done() for future in self._futures)
        self._over.set()
        with self._lock:
            workers = list(self._workers)
        stopping = [threading.Thread(target=worker.stop) for worker in workers]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        with suppress(PneumobenchError):
            self._tasks.stopped([worker.process for worker in workers if worker.process], finished=finished)
