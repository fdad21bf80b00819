"""How many workers run, and with which hardware: one GPU each, or a share of the CPU cores."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pneumobench.errors import UsageError
from pneumobench.execution.handles import ProcessHandle, WorkerHandle
from pneumobench.execution.job import Job

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class Engine(Protocol):
    """Starts workers and assigns hardware to them."""

    @property
    def workers(self) -> int:
        """The number of workers at once."""

    @property
    def has_room(self) -> bool:
        """Whether there is room for one more worker, so that a successor can start before its predecessor ends."""

    def start(self, slot: int, job: Job, *, check: bool = False) -> WorkerHandle:
        """Start a worker for a slot, numbered from 0, without waiting until it is ready."""

    def restart(self, slot: int, job: Job, dead: WorkerHandle) -> WorkerHandle:
        """Start a worker in place of a dead one."""

    def close(self) -> None:
        """Release the engine, after the workers are stopped."""


@dataclass(frozen=True)
class LocalEngine:
    """Worker processes on this machine; `logs` is the folder of their log files."""

    workers: int
    environments: tuple[Mapping[str, str], ...]
    logs: Path
    has_room: bool = True

    @classmethod
    def of(cls, workers: int | None, logs: Path) -> LocalEngine:
        """`workers` processes; by default one per GPU, or one. Raises: UsageError for more workers than GPUs."""
        gpus = visible_gpus()
        if gpus:
            workers = len(gpus) if workers is None else workers
            if workers > len(gpus):
                raise UsageError(f"--workers is at most {len(gpus)}, one for each GPU, not {workers}")
            own = tuple({"CUDA_VISIBLE_DEVICES": gpu, **_share(workers)} for gpu in gpus[:workers])
            return cls(workers, own, logs)
        workers = 1 if workers is None else workers
        return cls(workers, (_share(workers),) * workers, logs)

    def start(self, slot: int, job: Job, *, check: bool = False) -> WorkerHandle:
        """A worker process."""
        return ProcessHandle(job, self.environments[slot], self.logs / f"worker-{slot + 1}.log", check=check)

    def restart(self, slot: int, job: Job, dead: WorkerHandle) -> WorkerHandle:
        """A new process."""
        return self.start(slot, job)

    def close(self) -> None:
        """Nothing to release."""


def _share(workers: int) -> dict[str, str]:
    """Environment variables that give a worker its share of the cores; none for a single one."""
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    return {} if workers == 1 else {name: str(threads) for name in THREADS if name not in os.environ}


def visible_gpus() -> list[str]:
    """A value of CUDA_VISIBLE_DEVICES for each NVIDIA GPU that this process may use."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        # CUDA reads up to the first that names none, and a GPU that is named twice is one
        visible = itertools.takewhile(lambda gpu: gpu not in ("", "-1"), map(str.strip, named.split(",")))
        return list(dict.fromkeys(visible))
    try:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split() if done.returncode == 0 else []
