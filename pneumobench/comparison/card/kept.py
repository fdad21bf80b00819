"""A card that stays with what it is about: among the files of a run, and beside a registered model's version."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pneumobench.comparison import card, facts
from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import html, markdown
from pneumobench.tracking.recorder import Recorder
from pneumobench.tracking.runs import of_store
from pneumobench.tracking.store import Store


def log(known: Facts, store: Store) -> None:
    """Add the card to the files of each training's run, and of several ones' experiment.

    Where a training's model is registered, the card's short form becomes the description of its version.
    """
    page = card.of(known)
    whole = [run.parent for run in known.runs] if len(known.runs) > 1 else []  # one of several is not the whole
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / card.FOLDER
        files.mkdir()
        (files / card.MARKDOWN).write_text(markdown.render(page), encoding="utf-8")
        (files / card.HTML).write_text(html.render(page), encoding="utf-8")
        for run_id in dict.fromkeys([*whole, *(run.run_id for run in known.runs)]):
            Recorder(store, run_id).artifacts(Path(folder))
    for run in known.runs:
        for version in store.versions(run.run_id):
            store.describe_version(version, markdown.render(card.short(page, run.run_id)))


def of_run(store: Store, run_id: str) -> None:
    """The same for one training."""
    log(facts.of(of_store(store), run_id, store), store)
