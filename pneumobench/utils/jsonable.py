"""Values as JSON has them: a result, its dataclasses and arrays among it, as dictionaries, lists and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any


def to_json(value: Any) -> Any:
    """The value as `json.dumps` takes it, inside and out; its keys keep their order.

    A dataclass becomes its fields; an object with a method `__json__` what that returns; an array or a scalar of
    NumPy its Python value; a path its text. Numbers that are not finite become None, for JSON has none of them.
    Anything else is left as it is.
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if hasattr(value, "__json__") and not isinstance(value, type):
        return to_json(value.__json__())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return to_json(value.tolist())
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [to_json(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return str(value) if isinstance(value, PurePath) else value
