"""The test images, closed: each opening writes a line to the ledger before an image is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from pneumobench.data.dataset import Dataset
from pneumobench.data.subset import Part
from pneumobench.errors import TrackingError
from pneumobench.utils import provenance
from pneumobench.utils.hashing import digest_of
from pneumobench.utils.jsonable import to_json

FILE = "ledger.jsonl"


@dataclass(frozen=True)
class Look:
    """One opening of the lockbox: when (UTC), by which command and run, at which commit, on which images.

    `images` is the digest of the test images alone: a look at them counts whatever else was in the dataset.
    `trainings` are the run ids of the models that are scored, where each model is scored once.
    """

    when: str
    command: str
    plugin: str
    run: str
    commit: str
    fingerprint: str
    dataset: str
    images: str = ""
    user: str = ""
    trainings: str = ""

    @classmethod
    def now(cls, *, dataset: str, fingerprint: str, plugin: str = "", run: str = "", trainings: str = "") -> Look:
        """A look by this command at this moment."""
        return cls(
            when=provenance.now(),
            command=provenance.command(),
            plugin=plugin,
            run=run,
            commit=provenance.commit(),
            fingerprint=fingerprint,
            dataset=dataset,
            user=provenance.user(),
            trainings=trainings,
        )

    def continues(self, other: Look) -> bool:
        """Whether this is another one that was cut off: at the same images, to score models of that one."""
        mine, others = set(self.trainings.split(",")), set(other.trainings.split(","))
        return bool(self.trainings) and self.images == other.images and mine <= others


@dataclass(frozen=True)
class Margin:
    """A margin of equivalence that was named: when (UTC), by which command and user, and for which metric."""

    when: str
    command: str
    metric: str
    margin: float
    user: str = ""


class Ledger:
    """The file `ledger.jsonl` in a folder: one JSON object a line, only ever appended to."""

    def __init__(self, folder: Path):
        self.path = folder / FILE

    def append(self, look: Look) -> int:
        """Write one look and sync it; how many looks at the same images were recorded before.

        One that continues another, whose process was killed before all was scored, is that one.
        Raises: TrackingError where the file cannot be written.
        """
        with self._writing():
            others = [other for other in self.looks() if other.images == look.images]
            for before, other in enumerate(others):
                if look.continues(other):
                    return before
            self._write(look)
            return len(others)

    def name_margin(self, metric: str, margin: float) -> Margin:
        """The entry of a margin for a metric, written now if there is none of the same size.

        Raises: TrackingError where the file cannot be written.
        """
        with self._writing():
            for entry in self._entries():
                if isinstance(entry, Margin) and (entry.metric, entry.margin) == (metric, margin):
                    return entry
            named = Margin(provenance.now(), provenance.command(), metric, margin, provenance.user())
            self._write(named)
            return named

    def looks(self) -> list[Look]:
        """All looks, the oldest first. Raises: TrackingError if a line is damaged."""
        return [entry for entry in self._entries() if isinstance(entry, Look)]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                yield
        except OSError as error:
            raise TrackingError(
                f"cannot write the ledger {self.path}: {error.strerror or error}; "
                "without it the test images stay closed"
            ) from error

    def _write(self, entry: Look | Margin) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(to_json(entry), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _entries(self) -> list[Look | Margin]:
        if not self.path.exists():
            return []
        entries: list[Look | Margin] = []
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                values = json.loads(line)
                entries.append(Margin(**values) if "margin" in values else Look(**values))
            except (ValueError, TypeError) as error:
                raise TrackingError(f"line {number} of the ledger {self.path} is damaged: {error}") from None
        return entries


class Lockbox:
    """The test images, which nothing reads before `open`; opening writes a line to the ledger first."""

    def __init__(self, dataset: Dataset):
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name these very images."""
        return digest_of(self._dataset.hashes, 8)

    def open(self, ledger: Ledger, look: Look) -> tuple[Part, int]:
        """The test images, once the look is recorded in the ledger, and how many looks at them there were before."""
        before = unlock(ledger, look, self._dataset.hashes)
        return Part(self._dataset), before


def unlock(ledger: Ledger, look: Look, hashes: Iterable[str]) -> int:
    """Write a look at the test images with these content hashes; how many looks at them there were before.

    Code that reads single test images without a lockbox records the look here first.
    """
    return ledger.append(replace(look, images=digest_of(hashes, 8)))
