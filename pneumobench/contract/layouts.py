"""The contract of a layout, clause by clause: `pneumobench data layouts check` runs it on a folder of its kind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pneumobench.contract.case import ContractError, NotApplicableError, Verdict
from pneumobench.data import detect
from pneumobench.data.dataset import ORIGINS
from pneumobench.data.layout import Layout, Listing, Reading
from pneumobench.errors import PneumobenchError, one_line


class LayoutCase:
    """A layout under test, and a folder (or a file) of its kind."""

    def __init__(self, name: str, folder: Path, reading: Reading):
        self.name, self.folder, self.reading = name, folder, reading
        self.entry = detect.LAYOUTS.find(name.replace("-", "_"))
        self.layout: Layout = detect.load(name)

    @cached_property
    def listing(self) -> Listing:
        """What it makes of the folder."""
        return self.layout.read(self.folder, self.reading)


def documented(case: LayoutCase) -> None:
    if not case.entry.summary or case.entry.summary.startswith("cannot be read"):
        raise ContractError("the file has no docstring, whose first line `pneumobench data layouts` shows")
    if missing := [name for name in ("citation", "licence") if not getattr(case.layout, name).strip()]:
        raise ContractError(f"no {' and no '.join(missing)}: who made the images, and on which terms?")


def knows_its_own(case: LayoutCase) -> None:
    if not case.layout.is_own(case.folder):
        if case.layout.takes and case.reading.given:
            raise NotApplicableError("options say how the folder is read")
        raise ContractError(f"`is_own` says no to {case.folder}")


def leaves_others_alone(case: LayoutCase) -> None:
    with tempfile.TemporaryDirectory() as empty:
        for path, what in ((Path(empty), "an empty folder"), (Path(empty) / "missing", "a folder that is not there")):
            if case.layout.is_own(path):
                raise ContractError(f"`is_own` says yes to {what}")


def one_owner(case: LayoutCase) -> None:
    owner = detect.layout_of(case.folder, Reading(**{n: getattr(case.reading, n) for n in case.reading.given}))
    if owner.replace("_", "-") != case.name.replace("_", "-"):
        raise ContractError(f"without --layout the folder is read by {owner}; a higher `priority` decides")


def both_classes(case: LayoutCase) -> None:
    labels = {row.label for row in case.listing.rows}
    if labels != {0, 1}:
        raise ContractError(f"labels are {sorted(labels)}; 0 is normal, 1 is pneumonia, and both are needed")


def paths_are_files(case: LayoutCase) -> None:
    seen: set[str] = set()
    for row in case.listing.rows:
        if "\\" in row.path or row.path.startswith("/"):
            raise ContractError(f"'{row.path}' is not a path in the folder with forward slashes")
        if row.path in seen:
            raise ContractError(f"{row.path} has two rows")
        seen.add(row.path)
        if not (case.listing.root / row.path).is_file():
            raise ContractError(f"{row.path} is no file in {case.listing.root}")


def splits_are_known(case: LayoutCase) -> None:
    splits = {row.split for row in case.listing.rows}
    if strange := splits - {*ORIGINS, ""}:
        raise ContractError(f"a split is called '{min(strange)}'; {', '.join(ORIGINS)} are known, '' is none")
    if "" in splits and "test" in splits:
        raise ContractError("some rows have a split, others have none")


def texts(case: LayoutCase) -> None:
    for row in case.listing.rows:
        for name, value in (("subtype", row.subtype), ("patient", row.patient or ""), *row.columns.items()):
            if not isinstance(value, str):
                raise ContractError(f"{name} of {row.path} is {type(value).__name__}; what is known is a text")
    if any(row.patient == "" for row in case.listing.rows):
        raise ContractError("a patient is ''; None says that nobody knows")


def repeats(case: LayoutCase) -> None:
    if case.layout.read(case.folder, case.reading) != case.listing:
        raise ContractError("read twice, the folder gives other rows, or the same in another order")


CLAUSES: tuple[tuple[str, Callable[[LayoutCase], None]], ...] = (
    ("the docstring, a citation and a licence say what it is", documented),
    ("it knows a folder of its kind", knows_its_own),
    ("it leaves other folders alone", leaves_others_alone),
    ("no other layout reads the folder", one_owner),
    ("both classes are there, as 0 and 1", both_classes),
    ("each path is one file in the folder", paths_are_files),
    ("splits are train, val, test or none", splits_are_known),
    ("patients and columns are texts", texts),
    ("the same folder gives the same rows", repeats),
)


@dataclass(frozen=True)
class Checked:
    """The verdicts on a layout, in the order of the clauses."""

    verdicts: tuple[Verdict, ...]

    @property
    def is_broken(self) -> bool:
        """Whether a clause is broken."""
        return any(verdict.broken for verdict in self.verdicts)


def check(name: str, folder: Path, reading: Reading | None = None) -> Checked:
    """Check a layout against every clause on a folder of its kind; a broken clause does not stop the others.

    Raises: UsageError or PluginError if the layout cannot be loaded.
    """
    case = LayoutCase(name, folder, reading or Reading())
    return Checked(tuple(_judged(rule, examine, case) for rule, examine in CLAUSES))


def _judged(rule: str, examine: Callable[[LayoutCase], None], case: LayoutCase) -> Verdict:
    where = case.entry.path.name if case.entry.path else case.entry.module
    try:
        examine(case)
    except NotApplicableError as reason:
        return Verdict(rule, None, str(reason))
    except PneumobenchError as error:
        return Verdict(rule, False, one_line(error), where)
    except Exception as error:  # whatever another's code raises
        return Verdict(rule, False, one_line(error), where)
    return Verdict(rule, True)
