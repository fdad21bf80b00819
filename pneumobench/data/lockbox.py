"""The test images, closed: each opening writes a line to the ledger before an image is read."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from pneumobench.data.dataset import Dataset
from pneumobench.data.parts import Part
from pneumobench.errors import TrackingError

FILE = "ledger.jsonl"


@dataclass(frozen=True)
class Look:
    """One opening of the lockbox: when (UTC), by which command and run, at which commit, on which images."""

    when: str
    command: str
    plugin: str
    run: str
    commit: str
    fingerprint: str
    dataset: str
    user: str = ""


class Ledger:
    """The file `ledger.jsonl` in a folder: one JSON object a line, only ever appended to."""

    def __init__(self, folder: Path):
        self.path = folder / FILE

    def append(self, look: Look) -> None:
        """Write one look and sync it. Raises: TrackingError where the file cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"), self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(look), ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise TrackingError(
                f"cannot write the ledger {self.path}: {error.strerror or error}; "
                "without it the test images stay closed"
            ) from error

    def count(self, fingerprint: str) -> int:
        """How often the test images of this dataset have been opened."""
        return sum(look.fingerprint == fingerprint for look in self.looks())

    def looks(self) -> list[Look]:
        """All looks, the oldest first. Raises: TrackingError where a line is no look."""
        if not self.path.exists():
            return []
        found = []
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(Look(**json.loads(line)))
            except (ValueError, TypeError) as error:
                raise TrackingError(f"line {number} of the ledger {self.path} is damaged: {error}") from None
        return found


class Lockbox:
    """The test images, which nothing reads before `open`; opening writes a line to the ledger first."""

    def __init__(self, dataset: Dataset):
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def open(self, ledger: Ledger, look: Look) -> Part:
        """The test images, once the look stands in the ledger."""
        ledger.append(look)
        return Part(self._dataset)
