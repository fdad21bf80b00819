"""In which fields a plugin differs from another."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pneumobench.authoring.recipe import Plugin

REFERENCE = "baseline"  # what a plugin is compared with unless told otherwise


def differences(plugin: Plugin, reference: Plugin) -> dict[str, str]:
    """Field -> what it is, for the fields in which a plugin differs from another; `kind` where that differs."""
    if type(plugin) is not type(reference):
        return {"kind": f"{type(plugin).__name__}, not {type(reference).__name__}"}
    return {
        one.name: _named(getattr(plugin, one.name))
        for one in fields(plugin)
        if one.name != "check" and getattr(plugin, one.name) != getattr(reference, one.name)
    }


def _named(value: Any) -> str:
    if callable(value) and hasattr(value, "__name__"):
        return f"{value.__name__} of {value.__module__.rpartition('.')[2]}"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_named(item)}" for key, item in value.items()) or "none"
    return "none" if value is None else str(value)
