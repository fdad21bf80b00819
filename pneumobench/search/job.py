"""What a worker is told, on this machine or another: which study, on which images, kept where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from pneumobench.data import prepare
from pneumobench.data.prepare import Prepared
from pneumobench.search import plan as planning
from pneumobench.search.plan import Plan
from pneumobench.utils.progress import Progress

HERE = ("storage", "tracking_uri", "data")  # what each machine says for itself, and what no study keeps


@dataclass(frozen=True, kw_only=True)
class Job:
    """A call of `pneumobench study`, in plain values. `name` is the study's in the storage, `file` that of its file."""

    file: str
    name: str
    storage: str
    tracking_uri: str
    data: str | None = None
    split: str = "patient"
    split_seed: int = 0
    limit: int | None = None
    skip_unreadable: bool = False
    plugins: list[str] = field(default_factory=list)
    assigned: dict[str, Any] = field(default_factory=dict)
    metric: str | None = None
    epochs: int | None = None
    seed: int = 0
    precision: str = "auto"
    keep_models: int | None = 3  # None keeps all

    def plan(self) -> Plan:
        """The study's file as this call changes it. Raises: UsageError or PluginError for what cannot be searched."""
        return planning.plan(
            self.file,
            plugins=self.plugins,
            assigned=self.assigned,
            metric=self.metric,
            epochs=self.epochs,
            seed=self.seed,
            precision=self.precision,
        )

    def images(self, progress: Progress) -> Prepared:
        """The images of the study, divided; nothing is decoded, and the lockbox is empty."""
        return prepare.load(
            self.data,
            split=self.split,
            split_seed=self.split_seed,
            limit=self.limit,
            skip_unreadable=self.skip_unreadable,
            progress=progress,
        ).sealed()

    def kept(self) -> dict[str, Any]:
        """What a study keeps of the call, for workers of other machines."""
        return {name: value for name, value in asdict(self).items() if name not in HERE}

    @classmethod
    def joined(cls, kept: Mapping[str, Any], **here: Any) -> Job:
        """The job of a study that another machine began."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in known}, **here)

    def at(self, data: str) -> Job:
        """The same with the images' folder found."""
        return replace(self, data=data)
