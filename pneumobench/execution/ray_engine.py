"""Workers as actors of a Ray cluster, which schedules and restarts them; the only module that imports Ray."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from pneumobench.errors import UsageError
from pneumobench.execution.engine import THREADS
from pneumobench.execution.handles import Answer, WorkerDied, WorkerHandle, identity_and_memory
from pneumobench.execution.job import Job, Tell, Worker, opened
from pneumobench.execution.process import memory, when_failed, when_ready

RESTARTING = 60.0  # seconds that a killed actor may take until Ray has a process for it again
PASSED_ON = ("PNEUMOBENCH_", "KERAS_", "MLFLOW_", "TF_", "CUDA_VISIBLE")  # environment variables for the workers


class WorkerActor:
    """The actor's class: a worker that is created on the first call, so that its error can be reported."""

    def __init__(self, opens: str, job: dict[str, Any]):
        self._opens, self._job = opens, job
        self._worker: Worker | None = None

    def ready(self, check: bool) -> dict[str, Any]:
        """This process's identity and memory, once it can train; or the error on starting."""
        try:
            if self._worker is None:
                self._worker = opened(self._opens, self._job, check=check)
        except Exception as error:
            return when_failed(error)
        return when_ready()

    def work(self, request: Any) -> tuple[dict[str, Any] | None, int]:
        """The report of a training, None where there was nothing to train; and the memory in bytes."""
        self.ready(check=False)  # in case Ray restarted the actor
        return self._worker.work(request, lambda told: None) if self._worker else None, memory()


class _Unavailable(WorkerDied):
    """An actor that Ray is restarting, or cannot reach at the moment."""


class RayHandle:
    """The handle of a worker that is a Ray actor."""

    def __init__(self, actor: Any, check: bool):
        self.actor, self.process, self._check = actor, None, check
        self._memory = 0
        self._starting = actor.ready.remote(check)

    process: Mapping[str, str] | None

    def is_ready(self) -> bool:
        import ray

        return bool(ray.wait([self._starting], timeout=0)[0])

    def ready(self) -> int:
        ends = monotonic() + RESTARTING
        while self.process is None:
            try:
                self.process, self._memory = identity_and_memory(self._get(self._starting))
            except _Unavailable:
                if monotonic() > ends:
                    raise
                sleep(0.5)
                self._starting = self.actor.ready.remote(self._check)
        return self._memory

    def work(self, request: Any, tell: Tell) -> Answer:
        return Answer(*self._get(self.actor.work.remote(request)))  # an actor answers once: it tells nothing between

    def stop(self) -> None:
        import ray

        ray.kill(self.actor, no_restart=True)

    def _get(self, reference: Any) -> Any:
        import ray

        try:
            return ray.get(reference)
        except ray.exceptions.ActorUnavailableError as error:
            raise _Unavailable(str(error).partition("\n")[0], self.process) from None
        except ray.exceptions.RayError as error:
            raise WorkerDied(str(error).partition("\n")[0], self.process) from None


@dataclass(frozen=True)
class RayEngine:
    """Actors of a cluster, with one GPU each if it has GPUs, else with an equal share of its cores."""

    workers: int
    gpus: int
    cores: int
    owned: bool

    @property
    def has_room(self) -> bool:
        """Whether there is room for a worker's successor beside it: not where each occupies a GPU."""
        return not self.gpus

    @classmethod
    def of(cls, workers: int | None, address: str | None) -> RayEngine:
        """The cluster at an address, or a local one. Raises: UsageError if Ray or the cluster is missing."""
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise UsageError('--engine ray needs Ray: pip install "pneumobench[ray]"') from None
        owned = not ray.is_initialized()
        if owned:
            try:
                local: dict[str, Any] = {} if address else {"include_dashboard": False}
                ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **local)
            except ConnectionError as error:
                raise UsageError(f"no Ray cluster at {address}: {str(error).partition(chr(10))[0]}") from None
        have = ray.cluster_resources()
        gpus, cores = int(have.get("GPU", 0)), int(have.get("CPU", 1))
        most = gpus or cores
        workers = (gpus or 1) if workers is None else workers
        if workers > most:
            what = "GPUs, one for each worker" if gpus else "cores"
            raise UsageError(f"--workers is at most {most} on this Ray cluster, which has {most} {what}; not {workers}")
        return cls(workers, gpus, cores, owned)

    def start(self, slot: int, job: Job, *, check: bool = False) -> WorkerHandle:
        """A new actor."""
        import ray

        share = max(1, self.cores // self.workers)
        passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        passed |= {} if self.gpus else {name: str(share) for name in THREADS if name not in os.environ}
        passed.pop("CUDA_VISIBLE_DEVICES", None) if self.gpus else None
        actor = ray.remote(WorkerActor).options(
            num_gpus=1 if self.gpus else 0,
            num_cpus=1 if self.gpus else share / 2,  # half, to leave room for a worker's successor
            max_restarts=-1,
            runtime_env={"env_vars": passed},
        )
        return RayHandle(actor.remote(job.opens, job.plain()), check)

    def restart(self, slot: int, job: Job, dead: WorkerHandle) -> WorkerHandle:
        """The same actor, which Ray restarts."""
        assert isinstance(dead, RayHandle)
        return RayHandle(dead.actor, check=False)

    def close(self) -> None:
        """Disconnect from the cluster; a local one is shut down."""
        import ray

        if self.owned:
            ray.shutdown()
