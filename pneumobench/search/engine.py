"""How many workers, and what each of them sees: one a GPU, or shares of the processor's cores."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pneumobench.errors import UsageError
from pneumobench.search.hosts import Host, ProcessHost
from pneumobench.search.job import Job

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class Engine(Protocol):
    """Gives workers their place."""

    @property
    def workers(self) -> int:
        """How many there are at once."""

    @property
    def ahead(self) -> bool:
        """Whether one more has a place beside them."""

    def start(self, slot: int, job: Job, *, check: bool = False) -> Host:
        """A worker for the slot, from 0; it is not waited for."""

    def revive(self, slot: int, job: Job, dead: Host) -> Host:
        """A worker in the place of one that died."""

    def close(self) -> None:
        """Leave; the workers are stopped already."""


@dataclass(frozen=True)
class Local:
    """Worker processes on this machine; `logs` is the folder of what they print."""

    workers: int
    environments: tuple[Mapping[str, str], ...]
    logs: Path
    ahead: bool = True

    @classmethod
    def of(cls, workers: int | None, logs: Path) -> Local:
        """As many as asked for; by default one for each GPU, or one. Raises: UsageError for more than GPUs."""
        gpus = visible_gpus()
        if gpus:
            workers = len(gpus) if workers is None else workers
            if workers > len(gpus):
                raise UsageError(f"--workers is at most {len(gpus)}, one for each GPU, not {workers}")
            return cls(workers, tuple({"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus[:workers]), logs)
        workers = 1 if workers is None else workers
        threads = max(1, len(os.sched_getaffinity(0)) // workers)
        share = {} if workers == 1 else {name: str(threads) for name in THREADS if name not in os.environ}
        return cls(workers, (share,) * workers, logs)

    def start(self, slot: int, job: Job, *, check: bool = False) -> Host:
        """A worker process."""
        return ProcessHost(job, self.environments[slot], self.logs / f"worker-{slot + 1}.log", check=check)

    def revive(self, slot: int, job: Job, dead: Host) -> Host:
        """A new process."""
        return self.start(slot, job)

    def close(self) -> None:
        """Nothing is left to close."""


def visible_gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES may say for each NVIDIA GPU that this process may use."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [gpu.strip() for gpu in named.split(",") if gpu.strip() and gpu.strip() != "-1"]
    try:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split() if done.returncode == 0 else []
