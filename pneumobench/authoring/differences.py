"""The fields in which two plugins differ."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pneumobench.authoring.recipe import Plugin

REFERENCE = "baseline"  # what a plugin is compared with by default


def differences(plugin: Plugin, reference: Plugin) -> dict[str, str]:
    """Field -> the plugin's value, for each field that differs from the reference; `kind` alone where that differs."""
    if type(plugin) is not type(reference):
        return {"kind": f"{type(plugin).__name__}, not {type(reference).__name__}"}
    return {
        field.name: _named(getattr(plugin, field.name))
        for field in fields(plugin)
        if field.name != "check" and getattr(plugin, field.name) != getattr(reference, field.name)
    }


def _named(value: Any) -> str:
    if callable(value) and hasattr(value, "__name__"):
        return f"{value.__name__} of {value.__module__.rpartition('.')[2]}"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_named(item)}" for key, item in value.items()) or "none"
    return "none" if value is None else str(value)
