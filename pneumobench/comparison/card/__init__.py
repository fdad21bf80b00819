"""A model card: what is tracked of an experiment, for whoever has to judge a model that they did not make.

Its order is that of Mitchell et al., Model Cards for Model Reporting (FAT* 2019), with the parts that a clinical reader
looks for. What is not tracked is said to be so.
"""

from __future__ import annotations

from dataclasses import replace

from pneumobench.comparison.card import data, limits, results, training
from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import Link, Page
from pneumobench.evaluation.words import plural
from pneumobench.utils import provenance

FOLDER, MARKDOWN, HTML = "card", "card.md", "card.html"  # among a run's artifacts
SHORT = ("Figures at home", "Threshold", "Limits")


def of(facts: Facts, back: Link | None = None) -> Page:
    """The card of an experiment; `back` leads to the page that it is linked from."""
    one, made = facts.experiment, provenance.now().replace("T", " ").replace("+00:00", " UTC")
    trainings = plural(len(one.runs), "training")
    return Page(
        title=f"Model card: {one.name}",
        lead=f"{trainings}, run {', '.join(dict.fromkeys(run.parent[:8] for run in one.runs))}, on "
        f"{one.tags['dataset']} {one.tags['fingerprint'][:8]}. Made {made} by pneumobench {provenance.version()} from "
        "what is tracked; nothing here is typed by hand.",
        warnings=limits.warnings(facts),
        sections=[
            training.model(facts),
            data.data(facts),
            data.division(facts),
            training.training(facts),
            results.at_home(facts),
            results.threshold(facts),
            results.calibration(facts),
            results.subgroups(facts),
            results.elsewhere(facts),
            results.altered(facts),
            limits.limits(facts),
            limits.looks(facts),
            limits.licences(facts),
            training.environment(facts),
        ],
        back=back,
    )


def short(page: Page, run_id: str) -> Page:
    """The card's lead, figures, threshold and limits, and where the whole of it is: what a registry has room for."""
    where = f"The whole card is {FOLDER}/{MARKDOWN} among the files of run {run_id}."
    kept = [section for section in page.sections if section.title in SHORT]
    return replace(page, lead=f"{page.lead} {where}", sections=kept)
