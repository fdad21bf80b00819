"""A reporting standard's items, each answered from what is tracked of an experiment or left to its authors.

CLAIM: Tejani et al., Radiology: Artificial Intelligence 6(4):e240300, 2024. TRIPOD+AI: Collins et al., BMJ
385:e078378, 2024. The numbers are theirs; the words are ours, and short: the standards themselves say what each asks.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pneumobench.comparison.card.limits import warnings
from pneumobench.comparison.checklist.answers import ANSWERS
from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import Lines, Page, Section, Table
from pneumobench.errors import unknown
from pneumobench.utils import provenance

YOURS = "To be written by you"
STANDARDS = {
    "claim": ("CLAIM 2024", "Tejani et al., Radiology: Artificial Intelligence 6(4):e240300, 2024"),
    "tripod-ai": ("TRIPOD+AI", "Collins et al., BMJ 385:e078378, 2024"),
}


WIDTHS = ("3.5rem", "16rem")


@dataclass(frozen=True)
class Item:
    """An item by the standard's number: its part, what it asks for, the answer's name ("" for none), what is yours."""

    item: str
    part: str
    asks: str
    answer: str
    yours: str


@dataclass(frozen=True)
class Answered:
    """An item with what is tracked, "" for nothing, and what its authors have to write, "" for nothing."""

    item: Item
    tracked: str
    yours: str

    @property
    def text(self) -> str:
        """Both, for a cell."""
        return " ".join(part for part in (self.tracked, f"{self.yours}." if self.yours else "") if part)


def items(standard: str) -> list[Item]:
    """The items of a standard in its order. Raises: UsageError for another name."""
    if standard not in STANDARDS:
        raise unknown("standard", standard, STANDARDS)
    with (Path(__file__).parent / f"{standard.replace('-', '_')}.tsv").open(encoding="utf-8", newline="") as file:
        return [Item(**row) for row in csv.DictReader(file, delimiter="\t")]


def answered(facts: Facts, standard: str) -> list[Answered]:
    """Each item with its answer."""
    found = []
    for item in items(standard):
        tracked = ANSWERS[item.answer](facts) if item.answer else None
        if tracked is None:
            found.append(Answered(item, "", YOURS))
        else:
            found.append(Answered(item, tracked, f"{YOURS}: {item.yours}" if item.yours else ""))
    return found


def of(facts: Facts, standard: str) -> Page:
    """The checklist of an experiment. Raises: UsageError for an unknown standard."""
    every = answered(facts, standard)
    (title, source), one = STANDARDS[standard], facts.experiment
    made = provenance.now().replace("T", " ").replace("+00:00", " UTC")
    return Page(
        title=f"{title}: {one.name}",
        lead=f"Run {', '.join(dict.fromkeys(run.parent[:8] for run in one.runs))}, on {one.tags['dataset']} "
        f"{one.tags['fingerprint'][:8]}; made {made} by pneumobench {provenance.version()}.",
        sections=[
            Section("What this is", [Lines(_about(every, title, source))]),
            *(
                Section(part, [Table(("item", "asks for", "answer"), [_row(one) for one in own], WIDTHS)])
                for part, own in groupby(every, key=lambda one: one.item.part)
            ),
        ],
        warnings=warnings(facts),
    )


def _about(every: Sequence[Answered], title: str, source: str) -> list[str]:
    whole = sum(not one.yours for one in every)
    partly = sum(bool(one.tracked and one.yours) for one in every)
    return [
        f"{title} ({source}), in short words of our own; the standard says what each item asks for.",
        f"Of {len(every)} items {whole} are answered from what is tracked, {partly} in part, and "
        f"{len(every) - whole - partly} are to be written by you. An answer is a fact of these runs, and no judgement "
        "that the standard is met.",
    ]


def _row(one: Answered) -> tuple[str, str, str]:
    return one.item.item, one.item.asks, one.text
