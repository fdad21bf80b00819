"""The same work on every file of a folder, on all cores, in memory that does not grow with the folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

BLOCK = 64  # items a task: what a task itself costs no longer counts

Advance = Callable[[int, int], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    work: Callable[[Item], Result], items: Sequence[Item], advance: Advance | None = None, threads: int | None = None
) -> list[Result]:
    """The results of `work` for all items, in their order; one thread for each core unless told otherwise.

    Raises: what `work` raises first, once no thread works any longer. joblib.Parallel(return_as="generator") was as
    fast, but returns from an error or Ctrl-C while its threads still write into what the caller is removing.
    """
    results: list[Result] = []
    blocks = [items[start : start + BLOCK] for start in range(0, len(items), BLOCK)]
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for of_block in pool.map(lambda block: [work(item) for item in block], blocks):
            results += of_block
            if advance:
                advance(len(results), len(items))
    return results
