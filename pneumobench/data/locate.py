"""Which images a command works on: the ones asked for, those in the usual places, or the phantom."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pneumobench.data import tables
from pneumobench.data.layouts import medmnist, phantom
from pneumobench.errors import DataError

VARIABLE = "PNEUMOBENCH_DATA"
DEFAULT = Path("data/chest_xray")
MOUNTED = Path("/kaggle/input")  # where Kaggle's notebooks find the data sets that were added to them

FALLBACK = (
    f"no X-rays found (--data, {VARIABLE} and {DEFAULT} are all absent): this is the built-in PHANTOM, "
    "synthetic images that say nothing about patients"
)


@dataclass(frozen=True)
class Source:
    """A folder of images, or a file that lists or holds them; `fallback`: the phantom, as no images were found."""

    root: Path
    fallback: bool = False


def find(data: str | Path | None = None, stage: Callable[[str], None] | None = None) -> Source:
    """`data`, else what PNEUMOBENCH_DATA names, `data/chest_xray`, what a Kaggle notebook mounts, else the phantom.

    A name is a folder or a file (see `detect`); `data="phantom"` asks for the phantom by name.
    Raises: DataError where what PNEUMOBENCH_DATA names does not exist, or an address is named.
    """
    if str(data) == "phantom" and not Path("phantom").exists():
        return Source(phantom.ensure())
    if data:
        return Source(_named(Path(data), stage))
    if named := os.environ.get(VARIABLE):
        if not Path(named).expanduser().exists():
            raise DataError(f"{VARIABLE} names {named}, which does not exist")
        return Source(_named(Path(named), stage))
    if DEFAULT.exists():
        return Source(DEFAULT)
    if mounted := _mounted():
        return Source(mounted)
    if stage:
        stage("drawing the phantom")
    return Source(phantom.ensure(), fallback=True)


def _mounted() -> Path | None:
    """The topmost folder `chest_xray` with a `train` in it, in Kaggle's or up to three folders below."""
    found = (path for depth in range(4) for path in sorted(MOUNTED.glob("*/" * depth + DEFAULT.name)))
    return next((path for path in found if (path / "train").is_dir()), None)


def _named(path: Path, stage: Callable[[str], None] | None) -> Path:
    """The folder or file itself; that an archive will be unpacked is said. Raises: DataError for an address."""
    if tables.ADDRESS.match(path.as_posix()):
        address = re.sub(r":/+", "://", path.as_posix(), count=1)  # a path has lost a slash
        raise DataError(f"{address} is an address; download what is there and name the file")
    if stage and path.suffix == medmnist.SUFFIX:
        stage(f"unpacking {path.name}")
    return path
