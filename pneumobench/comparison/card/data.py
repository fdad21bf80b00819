"""The card's parts on the images: where they are from, whose they are, and how they were divided."""

from __future__ import annotations

from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import NOT_TRACKED, Block, Lines, Section, Table, facts
from pneumobench.evaluation.words import plural
from pneumobench.tracking.tracked_run import ELSEWHERE

UNKNOWN = "where a release does not say, it is not known here either"


def data(known: Facts) -> Section:
    """The images by part, class and patient, and what is known of them besides."""
    tags = known.tags
    blocks: list[Block] = [
        facts(
            [
                ("data set", f"{tags['dataset']}, fingerprint {tags['fingerprint']}"),
                ("read as", tags.get("layout")),
                ("source", tags.get("data_citation")),
                ("patients are told by", _patients(known)),
                ("left out as unreadable", f"{tags['unreadable']} images" if "unreadable" in tags else "none"),
                ("only a part of the images", f"--limit {tags['limit']}" if "limit" in tags else "no"),
            ]
        )
    ]
    rows = [
        [part, *(f"{counts[name]:,}" for name in ("normal", "pneumonia", "patients"))]
        for part, counts in known.counts.items()
    ]
    if "training" not in known.counts:
        rows.insert(0, ["training", *[NOT_TRACKED] * 3])
    blocks.append(Table(("images", "normal", "pneumonia", "patients"), rows))
    if known.characteristics:
        values = [
            (column, ", ".join(f"{name} {count:,}" for name, count in counts.items()))
            for column, counts in known.characteristics.items()
        ]
        blocks.append(Table(("test images by", "counts"), values))
    missing = [name for name in ("age", "sex", "view") if name not in known.characteristics]
    if missing:
        blocks.append(Lines([f"Of the test images is {NOT_TRACKED}: {', '.join(missing)}; {UNKNOWN}."]))
    if "audit" in tags:
        blocks.append(Lines([f"Found before training: {tags['audit']}."]))
    return Section("Data", blocks)


def division(known: Facts) -> Section:
    """How training, validation and test were kept apart."""
    tags = known.tags
    if known.experiment.is_divided_elsewhere:
        return Section("Division", [Lines([f"How development images were divided is {NOT_TRACKED}: it was imported."])])
    seeds = ", ".join(map(str, sorted({run.split_seed for run in known.runs})))
    policy = {
        "patient": "patient: a share of the patients in training is validation",
        "official": "official: the release's own validation images",
    }
    rows = [
        ("policy", policy.get(tags["split"], tags["split"]) if tags["split"] != ELSEWHERE else None),
        ("split seed", seeds),
        ("digest", ", ".join(dict.fromkeys(run.tags["split_digest"] for run in known.runs))),
        ("folds", tags.get("folds", "none: one division")),
        ("patients in training and in test", _leak(known)),
        ("patients in validation and in test", _shared(known)),
    ]
    return Section("Division", [facts(rows)])


def _patients(known: Facts) -> str | None:
    count = known.without_patient
    if count is None:
        return None
    return f"their keys; {plural(count, 'image')} without one, each its own patient" if count else "their keys"


def _leak(known: Facts) -> str:
    if "leak" in known.tags:
        return f"YES, and allowed by --allow-leak: {known.tags['leak']}"
    return "none by name or identical file: a run that finds one stops"


def _shared(known: Facts) -> str | None:
    count = known.shared_patients
    return None if count is None else "none" if count == 0 else f"{count:,}"
