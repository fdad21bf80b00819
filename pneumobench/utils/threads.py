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
    """What `work` makes of each item, in their order; a thread a core unless told otherwise.

    Raises: what `work` raises first.
    """
    found: list[Result] = []
    blocks = [items[start : start + BLOCK] for start in range(0, len(items), BLOCK)]
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for results in pool.map(lambda block: [work(item) for item in block], blocks):
            found += results
            if advance:
                advance(len(found), len(items))
    return found
