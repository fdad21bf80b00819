"""The options of a call from Python: as option objects, or as keywords named after their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pneumobench.data.options import DataOptions
from pneumobench.errors import unknown
from pneumobench.training.options import TrainOptions


def gathered(
    data: DataOptions | str | Path | None, train: TrainOptions | None, options: Mapping[str, Any]
) -> tuple[DataOptions, TrainOptions]:
    """The data and training options of a call: those given, with `options` (fields of either) replaced.

    `data` may be the image folder alone. Raises: UsageError for a name that is a field of neither.
    """
    of_data = data if isinstance(data, DataOptions) else DataOptions(data=data)  # type: ignore[arg-type]
    of_training = train or TrainOptions()
    changes: dict[type, dict[str, Any]] = {DataOptions: {}, TrainOptions: {}}
    owners = {field.name: kind for kind in changes for field in fields(kind)}
    for name, value in options.items():
        if name not in owners:
            raise unknown("option", name, owners)
        changes[owners[name]][name] = value
    return replace(of_data, **changes[DataOptions]), replace(of_training, **changes[TrainOptions])
