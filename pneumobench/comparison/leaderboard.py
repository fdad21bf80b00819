"""A comparison as a folder of pages for any static host: the standings, the verdicts, and each model's card."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pneumobench.comparison import card, facts
from pneumobench.comparison.card.limits import USE
from pneumobench.comparison.comparison import Comparison, Standing
from pneumobench.comparison.page import Cell, Lines, Link, Page, Section, Table, html, markdown
from pneumobench.comparison.select import PHANTOM
from pneumobench.errors import UsageError
from pneumobench.evaluation.labels import label
from pneumobench.evaluation.pair import Pair, Verdict
from pneumobench.evaluation.words import difference, figure, p_value, seconds
from pneumobench.tracking.store import Store
from pneumobench.utils import files, provenance
from pneumobench.utils.jsonable import to_json

INDEX, DATA, CARDS = "index.html", "comparison.json", "cards"
SHOWN = ("auroc", "accuracy", "accuracy_at_0.5", "sensitivity", "specificity")


def write(comparison: Comparison, folder: Path, store: Store | None = None) -> Path:
    """Write the pages; a leaderboard that is there is replaced as a whole, links are relative, nothing is loaded.

    `store` is where the runs are from; None where they are exported ones. Returns the folder.
    Raises: UsageError where the folder holds anything else, or cannot be written.
    """
    folder = folder.expanduser().absolute()
    _check(folder)
    names = _files(comparison)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with files.whole_folder(folder) as building:
            (building / CARDS).mkdir()
            for one in comparison.standings:
                page = card.of(
                    facts.gather(one.experiment, store, (one.validation, one.test)),
                    back=Link("Leaderboard", f"../{INDEX}"),
                )
                path = building / CARDS / names[one.name]
                path.with_suffix(".html").write_text(html.render(page), encoding="utf-8")
                path.with_suffix(".md").write_text(markdown.render(page), encoding="utf-8")
            (building / DATA).write_text(json.dumps(to_json(comparison), indent=2), encoding="utf-8")
            (building / INDEX).write_text(html.render(index(comparison)), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from error
    return folder


def index(comparison: Comparison) -> Page:
    """The first page: sentences, then a table with a row a plugin, the best first, all on the same images."""
    against = comparison.reference
    metric = label(comparison.metric)
    others = [name for name in SHOWN if name != comparison.metric][:3]
    ranked = ["rank"] if comparison.all_pairs else []
    headings = ["plugin", "trainings", *ranked, metric, f"less {against}", "verdict", "corrected p"]
    beside = ["plugin", *(label(name) for name in others), "seconds", "looks"]
    names, pairs = _files(comparison), _against(comparison.pairs, against)
    rows = [_row(comparison, one, pairs.get(one.name), names[one.name]) for one in comparison.standings]
    sentences = [pair.sentence for pair in comparison.pairs]
    return Page(
        title=f"Leaderboard: {comparison.dataset} by {metric}",
        lead=f"{comparison.subject}. Made {provenance.now()[:16].replace('T', ' ')} UTC by pneumobench "
        f"{provenance.version()} from stored predictions.",
        sections=[
            Section("Standings", [Table(headings, rows)]),
            Section("What may be said", [Lines(sentences)]),
            Section("Other figures", [Table(beside, [_beside(one, others) for one in comparison.standings])]),
            *(Section(f"At {one.site}", [Lines([c.sentence for c in one.contrasts])]) for one in comparison.sites),
            *(Section(by.title.capitalize(), [Lines(by.sentences())]) for by in comparison.groups),
            Section("How to read it", [Lines([*ORDER, *comparison.remarks()])]),
            Section(
                "Data",
                [Table(("", ""), [("all figures, as JSON", Link(DATA, DATA)), ("command", provenance.command())])],
            ),
        ],
        warnings=[USE, *(["These images are synthetic: nothing here is about patients."] * _is_phantom(comparison))],
    )


ORDER = [
    "Rows are in the order of the figure, which is no ranking: where no difference was detected, neither is better. "
    "Each name leads to that model's card. Seconds are those of a training; looks are openings of these test images "
    "before.",
]


def _row(comparison: Comparison, one: Standing, pair: Pair | None, file: str) -> list[Cell]:
    said = ["the reference", "", ""]
    if pair is not None:
        said = [difference(pair.difference, pair.low, pair.high), pair.verdict, p_value(pair.p_corrected)]
    rank = comparison.rank(one.name)
    ranks = [f"{rank[0]} to {rank[1]}" if rank[0] < rank[1] else f"{rank[0]}"] if rank else []
    return [
        Link(one.name, f"{CARDS}/{file}.html"),
        f"{one.seeds}",
        *ranks,
        figure(one.test[comparison.metric]),
        *said,
    ]


def _beside(one: Standing, others: list[str]) -> list[Cell]:
    figures = [figure(one.test[name]) for name in others]
    return [one.name, *figures, seconds(one.experiment.seconds), f"{one.looks:,}"]


def _against(pairs: Sequence[Pair], reference: str) -> dict[str, Pair]:
    """Each other plugin's pair with the reference, which is its second side, whichever it was when it was tested."""
    turned: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}
    found = {pair.plugin: pair for pair in pairs if pair.reference == reference}
    for pair in pairs:
        if pair.plugin == reference:
            found[pair.reference] = replace(
                pair,
                plugin=pair.reference,
                reference=reference,
                difference=-pair.difference,
                low=-pair.high,
                high=-pair.low,
                verdict=turned.get(pair.verdict, pair.verdict),
            )
    return found


def _files(comparison: Comparison) -> dict[str, str]:
    """A file's name for each standing, in letters that every host serves; equal ones are numbered."""
    taken: dict[str, str] = {}
    for one in comparison.standings:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", one.name).strip("-")[:80]
        plain = name = plain or "model"
        number = 1
        while name.lower() in {other.lower() for other in taken.values()}:
            number += 1
            name = f"{plain}-{number}"
        taken[one.name] = name
    return taken


def _check(folder: Path) -> None:
    """Raises: UsageError where a folder that is to be replaced holds what no leaderboard does."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"--site-dir is a folder, and {folder} is a file")
    there = {entry.name for entry in folder.iterdir()}
    if there and not {INDEX, DATA, CARDS} >= there:
        strange = min(there - {INDEX, DATA, CARDS})
        raise UsageError(f"--site-dir is a new folder or a leaderboard's; {folder} also holds {strange}")
    if there and DATA not in there:
        raise UsageError(f"--site-dir is a new folder or a leaderboard's; {folder} holds no {DATA}")


def _is_phantom(comparison: Comparison) -> bool:
    return comparison.dataset == PHANTOM
