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


def log(known: Facts, store: Store) -> str:
    """Add the card to the files of each training's run, and of several ones' experiment; its Markdown."""
    page = card.of(known)
    text = markdown.render(page)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / card.FOLDER
        files.mkdir()
        (files / card.MARKDOWN).write_text(text, encoding="utf-8")
        (files / card.HTML).write_text(html.render(page), encoding="utf-8")
        whole = [run.parent for run in known.runs] if len(known.runs) > 1 else []  # one of several is not the whole
        for run_id in dict.fromkeys([*whole, *(run.run_id for run in known.runs)]):
            Recorder(store, run_id).artifacts(Path(folder))
    return text


def register(store: Store, run_id: str, version: str) -> None:
    """Let a training's card lie among its run's files, and its short form describe a registered model's version."""
    known = facts.of(of_store(store), run_id, store)
    log(known, store)
    store.describe_version(version, markdown.render(card.short(card.of(known), run_id)))
