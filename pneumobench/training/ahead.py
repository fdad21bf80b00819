"""Results made by threads before they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


class Ahead(Generic[Key, Result]):
    """A function that must depend on its key alone; once asked for a key, threads also make the `depth` next ones.

    What is asked for out of turn is made then. Raises: what the function raises, where its result is asked for.
    """

    def __init__(self, make: Callable[[Key], Result], following: Callable[[Key], Key], *, threads: int, depth: int):
        self._make, self._following, self._depth = make, following, depth
        self._pool = ThreadPoolExecutor(threads, "batches")
        self._futures: dict[Key, Future[Result]] = {}
        self._lock = Lock()

    def __call__(self, key: Key) -> Result:
        with self._lock:
            keys = [key]
            for _ in range(self._depth):
                keys.append(self._following(keys[-1]))
            for late in self._futures.keys() - keys:
                self._futures.pop(late).cancel()
            for wanted in keys:
                if wanted not in self._futures:
                    self._futures[wanted] = self._pool.submit(self._make, wanted)
            future = self._futures[key]
        return future.result()

    def close(self) -> None:
        """End the threads; what they are making is finished first, and dropped."""
        self._pool.shutdown(cancel_futures=True)
        self._futures.clear()
