"""Which images, and how they are divided: the options of every command that reads images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pneumobench.data.layout import Reading
from pneumobench.errors import UsageError
from pneumobench.utils.described import described

Policy = Literal["patient", "official"]


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The images (`data` as in `locate.find`, or several), their split with its seed, and what to do with faulty ones.

    `split_seeds` divisions are trained on, from `split_seed` on. `limit` is about how many images to take, whole
    patients each; None takes all.
    `layout`, `columns` ("path=Image Index,label=Finding Labels"), `root`, `positive` and `negative` are those of
    `Reading`. `patient_pattern` is a regular expression whose first group, or whole match, in an image's path is its
    patient, where nothing else says so. `test_fraction` is the share of test images (default: .2) where the release
    has none.
    Raises: UsageError for a word or a number that cannot be met.
    """

    data: str | tuple[str, ...] | None = described(
        None,
        "Folder of images (`data layouts` lists the kinds), manifest with a row an image, or `phantom`; several are "
        "read as one. Default: PNEUMOBENCH_DATA, data/chest_xray, the phantom.",
    )
    split: str = described(
        "patient", "patient: 15 % of the patients are validation. official: the release's val folder."
    )
    split_seed: int = described(0, "Seed of the split, independent of the training seed.")
    split_seeds: int = described(1, "Train on so many divisions, from --split-seed on.")
    limit: int | None = described(None, "Use about this many images (whole patients).")
    skip_unreadable: bool = described(False, "Continue without images that cannot be read.")
    allow_leak: bool = described(False, "Continue if a patient is in both training and test; tags the run.")
    layout: str | None = described(None, "How the images are laid out, from `data layouts`. Default: seen by it.")
    columns: str | None = described(None, 'A manifest\'s columns: path="Image Index",label=Finding.')
    root: str | None = described(None, "Folder of a manifest's images. Default: the manifest's own.")
    positive: tuple[str, ...] = described((), "A class name of pneumonia; may be repeated.")
    negative: tuple[str, ...] = described((), "A class name of normal images; may be repeated.")
    patient_pattern: str | None = described(None, "What names the patient in a path, if nothing else does.")
    test_fraction: float | None = described(
        None, "Share of test images, drawn once, if a release has none. Default: .2."
    )

    @property
    def sources(self) -> tuple[str | None, ...]:
        """What `data` names, one by one."""
        return self.data if isinstance(self.data, tuple) else (self.data,)

    @property
    def reading(self) -> Reading:
        """How the folder or the manifest is to be read."""
        return Reading(
            layout=self.layout,
            columns=columns_of(self.columns or ""),
            root=Path(self.root) if self.root else None,
            positive=self.positive,
            negative=self.negative,
        )

    @property
    def divisions(self) -> range:
        """The seeds of the divisions."""
        return range(self.split_seed, self.split_seed + self.split_seeds)

    def __post_init__(self) -> None:
        if isinstance(self.data, list | tuple):
            several = tuple(str(one) for one in self.data)
            object.__setattr__(self, "data", several if len(several) > 1 else next(iter(several), None))
        for name in ("data", "root"):
            if isinstance(getattr(self, name), Path):
                object.__setattr__(self, name, str(getattr(self, name)))
        for name in ("positive", "negative"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given or ()))
        columns_of(self.columns or "")
        check_pattern(self.patient_pattern)
        if self.test_fraction is not None and not 0 < self.test_fraction < 1:
            raise UsageError(f"--test-fraction is between 0 and 1, not {self.test_fraction:g}")
        check_policy(self.split)
        at_least(
            ("--split-seed", self.split_seed, 0), ("--split-seeds", self.split_seeds, 1), ("--limit", self.limit, 1)
        )


def check_policy(policy: str) -> None:
    """Raises: UsageError unless the policy is one that a split can follow."""
    if policy not in get_args(Policy):
        raise UsageError(f"--split is one of {', '.join(get_args(Policy))}, not '{policy}'")


def columns_of(text: str) -> Mapping[str, str]:
    """The names of a manifest's columns by field, of a text such as "path=Image Index,label=Finding Labels".

    Raises: UsageError for a text of another form.
    """
    columns = {}
    for part in re.split(r",(?=\s*\w+\s*=)", text) if text else ():
        field, equals, name = part.partition("=")
        if not equals or not field.strip() or not name.strip(" '\""):
            raise UsageError(f"--columns is FIELD=NAME,…, such as path=\"Image Index\",label=Finding; not '{part}'")
        columns[field.strip().lower()] = name.strip(" '\"")
    return columns


def check_pattern(pattern: str | None) -> None:
    """Raises: UsageError unless a text is a regular expression."""
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise UsageError(f"--patient-pattern '{pattern}' is not a regular expression: {error}") from None


def at_least(*numbers: tuple[str, int | None, int]) -> None:
    """Raises: UsageError for the first (option, value, least) whose value is below the least; None is none."""
    for option, value, least in numbers:
        if value is not None and value < least:
            raise UsageError(f"{option} is at least {least}, not {value}")
