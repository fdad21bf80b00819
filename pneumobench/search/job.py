"""What a worker is told, on this machine or another: which study, on which images, kept where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pneumobench.data import prepare
from pneumobench.data.options import DataOptions, at_least
from pneumobench.data.prepare import Prepared
from pneumobench.search.plan import Plan, make_plan
from pneumobench.training.options import TrainOptions
from pneumobench.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Job:
    """A call of `pneumobench study`, in plain values. `name` is the study's in the storage, `file` that of its file.

    `assigned` are knobs that are fixed, as `plugin.knob`; `keep_models` None keeps all. Each machine has its own
    `storage`, `tracking_uri` and folder of images.
    Raises: UsageError for a number that no study can have.
    """

    file: str
    name: str
    storage: str
    tracking_uri: str
    data: DataOptions = field(default_factory=DataOptions)
    train: TrainOptions = field(default_factory=TrainOptions)
    plugins: list[str] = field(default_factory=list)
    assigned: dict[str, Any] = field(default_factory=dict)
    metric: str | None = None
    keep_models: int | None = 3

    def __post_init__(self) -> None:
        at_least(("--keep-models", self.keep_models, 0))

    def plan(self) -> Plan:
        """The study's file as this call changes it. Raises: UsageError or PluginError for what cannot be searched."""
        return make_plan(self.file, plugins=self.plugins, assigned=self.assigned, metric=self.metric, train=self.train)

    def images(self, progress: Progress) -> Prepared:
        """The images of the study, divided; nothing is decoded, and the lockbox is empty."""
        return prepare.load(self.data, progress).sealed()

    def kept(self) -> dict[str, Any]:
        """What a study keeps of the call for workers of other machines, whose addresses and folders differ."""
        plain = asdict(replace(self, data=replace(self.data, data=None)))
        return {name: value for name, value in plain.items() if name not in ("storage", "tracking_uri")}

    @classmethod
    def of(cls, plain: Mapping[str, Any], **here: Any) -> Job:
        """The job of plain values, such as `kept` gives, with this machine's own."""
        values = {**plain, "data": DataOptions(**plain["data"]), "train": TrainOptions(**plain["train"])}
        return cls(**values | here)

    def at(self, data: str | None) -> Job:
        """The same with this machine's folder of images."""
        return replace(self, data=replace(self.data, data=data))
