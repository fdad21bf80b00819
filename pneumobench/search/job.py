"""The settings that a worker needs, on this machine or another: which study, which images, which storage."""

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
    """The settings of a study as plain values. `name` is its name in the storage, `file` that of its file.

    `assigned` are fixed knobs, as `plugin.knob`; `keep_models` None keeps all. `storage`, `tracking_uri` and the
    image folder may differ between machines.
    Raises: UsageError for a number out of range.
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
    repeats: int = 1

    def __post_init__(self) -> None:
        at_least(("--keep-models", self.keep_models, 0), ("--repeats", self.repeats, 1))

    def plan(self) -> Plan:
        """The study's file with the changes of this call. Raises: UsageError or PluginError if it cannot be run."""
        changes: dict[str, Any] = {"plugins": self.plugins, "assigned": self.assigned, "metric": self.metric}
        return make_plan(self.file, train=self.train, repeats=self.repeats, **changes)

    def images(self, progress: Progress) -> Prepared:
        """The images of the study, split but not decoded, with an empty lockbox."""
        return prepare.load(self.data, progress).sealed()

    @property
    def opens(self) -> str:
        """The function that makes a worker of it."""
        return "pneumobench.search.worker:opened"

    def plain(self) -> dict[str, Any]:
        """All of its values, for workers on this machine."""
        return asdict(self)

    def portable(self) -> dict[str, Any]:
        """The settings that a study stores for workers on other machines, whose addresses and folders differ."""
        plain = asdict(replace(self, data=replace(self.data, data=None, root=None)))
        return {name: value for name, value in plain.items() if name not in ("storage", "tracking_uri")}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], **here: Any) -> Job:
        """The job from plain values, such as those of `portable`, with this machine's values added."""
        values = {**plain, "data": DataOptions(**plain["data"]), "train": TrainOptions(**plain["train"])}
        return cls(**values | here)

    def with_data(self, data: str | tuple[str, ...] | None, root: str | None = None) -> Job:
        """The same job with this machine's images, and the folder that a manifest's paths start from."""
        return replace(self, data=replace(self.data, data=data, root=root or self.data.root))
