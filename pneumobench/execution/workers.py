"""The number of workers and the engine that a call requests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pneumobench.data.options import at_least
from pneumobench.errors import UsageError
from pneumobench.execution.engine import Engine, LocalEngine


@dataclass(frozen=True)
class Workers:
    """The number of parallel trainings (None: one per GPU, or one), and the engine: "local", or "ray" at an address.

    Raises: UsageError for a number out of range or an unknown engine.
    """

    count: int | None = None
    engine_name: str = "local"
    address: str | None = None

    def __post_init__(self) -> None:
        at_least(("--workers", self.count, 1))
        if self.engine_name not in ("local", "ray"):
            raise UsageError(f"--engine is local or ray, not '{self.engine_name}'")
        if self.address and self.engine_name == "local":
            raise UsageError("--address is for --engine ray")

    @classmethod
    def of(cls, workers: Workers | int | None) -> Workers:
        """The value itself, or that number of local workers."""
        return workers if isinstance(workers, cls) else cls(workers)  # type: ignore[arg-type]

    def engine(self, logs: Path) -> Engine:
        """The engine; local workers write their logs into the folder `logs`."""
        if self.engine_name == "local":
            return LocalEngine.of(self.count, logs)
        from pneumobench.execution.ray_engine import RayEngine

        return RayEngine.of(self.count, self.address)
