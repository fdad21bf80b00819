"""A dataset's layout is a value: functions that say whether a folder is its own, and turn it into rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple


class Row(NamedTuple):
    """One image: its path in the dataset's folder (with forward slashes), its label, and what else is known of it.

    `label` is 1 for pneumonia; `split` is "train", "val" or "test", and "" where the release does not divide its
    images; `patient` is None and `subtype` "" where neither is known. `columns` are view, age, sex, site and any other
    that stay with the image, as text.
    """

    path: str
    label: int
    split: str = ""
    patient: str | None = None
    subtype: str = ""
    columns: Mapping[str, str] = MappingProxyType({})

    @property
    def file(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Listing:
    """What a layout found: the folder that the paths are relative to, the rows, and a line a kind of what is left out.

    `name` is what the dataset is called; "" calls it by its folder.
    """

    root: Path
    rows: Sequence[Row]
    not_read: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a folder or a manifest is to be read: the layout's name, and what some layouts ask for.

    `columns` maps the name of a row's field to that of a manifest's column, `root` is the folder that a manifest's
    paths are relative to, `positive` and `negative` are names of classes.
    """

    layout: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """The names of what is set, apart from the layout."""
        return tuple(name for name in ("columns", "root", "positive", "negative") if getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one kind of dataset is laid out.

    `is_own` says by the names in a folder (or by a file's name) whether it is of this kind, and never raises; `read`
    lists its images, and decodes none. `takes` are the fields of `Reading` that it heeds. Of several layouts that call
    a folder their own, the one of the highest `priority` reads it. `fetch` is the command that fetches it, or where it
    is to be had.
    Raises (`read`): DataError where the folder is not what it should be.
    """

    is_own: Callable[[Path], bool]
    read: Callable[[Path, Reading], Listing]
    citation: str
    licence: str
    fetch: str = ""
    takes: tuple[str, ...] = ()
    priority: int = 0
