"""The card's parts on what must not be concluded: warnings, limits, looks at the test images, licences."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata

from pneumobench.comparison.card.results import spread
from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import NOT_TRACKED, Block, Lines, Section, Table, facts
from pneumobench.evaluation.words import number, plural

USE = "Made to compare methods of research. Not a medical device, and not for clinical use."
FEW = 3  # trainings, fewer than which tell nothing of how another one would come out


def warnings(known: Facts) -> list[str]:
    """What must be seen before any figure."""
    tags = known.tags
    found = {
        "These images are synthetic: nothing here is about patients.": known.is_phantom,
        f"A patient is in both training and test: {tags.get('leak')}.": "leak" in tags,
        "Trained on shuffled labels, as a control: this is no model of anything.": "permuted" in tags,
        f"Trained and scored on a part of the images (--limit {tags.get('limit')}).": "limit" in tags,
    }
    return [USE, *(text for text, holds in found.items() if holds)]


def limits(known: Facts) -> Section:
    """What the tracked facts leave open, a sentence each."""
    tags, runs = known.tags, known.runs
    lines = [USE]
    if known.test is None:
        lines.append("Test images stayed closed: figures are on validation, where the threshold was chosen too.")
    if not known.sites:
        lines.append(f"Judged on images of {tags['dataset']} alone: how it does elsewhere is not known.")
    if not known.altered:
        lines.append("Not tried on altered images, nor on images without lungs: whether it reads lungs is not known.")
    controls = [value for one in known.altered for value in one.controls.values()]
    if controls and max(controls) > 0.5:
        lines.append(
            f"Where no lung can be read it has an AUROC of {spread(controls)}; one that reads lungs would have .500."
        )
    if not known.groups:
        lines.append("Whether it does as well for all groups of patients is not known.")
    if len(runs) < FEW:
        lines.append(
            f"{plural(len(runs), 'training')}: how much another seed changes is not known with fewer than {FEW}."
        )
    else:
        thresholds = spread([run.metrics["threshold"] for run in runs])
        lines.append(f"{len(runs)} trainings have thresholds of {thresholds}; the figures are means over them.")
    if any(run.metrics.get("threshold_ties", 1) > 1 for run in runs):
        lines.append("Validation could not tell the threshold from others: equally good ones are counted above.")
    if known.test and known.validation:
        gap = known.validation["auroc"].value - known.test["auroc"].value
        lines.append(f"Validation AUROC less test AUROC is {gap:+.3f}.")
    if known.test and known.test["ece"].low > 0:
        lines.append(f"Probabilities are not met on the test images: ECE {number(known.test['ece'].value)}.")
    if known.without_patient:
        lines.append(
            f"{plural(known.without_patient, 'image')} had no patient's key: related ones may lie on both sides."
        )
    if known.experiment.is_imported:
        lines.append("On what it was trained, and how often its author looked at these test images, is not known here.")
    if known.experiment.after_look:
        seeds = ", ".join(str(run.seed) for run in known.experiment.after_look)
        lines.append(f"Trained after these test images had been opened for the same experiment: seed {seeds}.")
    return Section("Limits", [Lines(lines)])


def looks(known: Facts) -> Section:
    """How often the test images had been opened before, and the ledger's lines on these images."""
    opened = [run.looks for run in known.runs if run.looks is not None]
    if not opened:
        return Section("Looks at the test images", [Lines(["None by this model: its test images stayed closed."])])
    lines = [
        f"Looks at the same test images before this model's: {max(opened)}. Each is recorded before an image is read."
    ]
    blocks: list[Block] = [Lines(lines)]
    if known.looks is None:
        blocks.append(Lines([f"Which these were is {NOT_TRACKED} in an export; the ledger stays beside its store."]))
    elif known.looks:
        rows = [(look.when[:16].replace("T", " "), look.plugin, look.run[:8], look.command) for look in known.looks]
        blocks.append(Table(("when (UTC)", "plugin", "run", "command"), rows))
    return Section("Looks at the test images", blocks)


def licences(known: Facts) -> Section:
    """On which terms data, weights and code are used, as far as someone states them."""
    tags = known.tags
    is_pretrained = known.runs[0].params.get("weights") not in (None, "none") or "files" in tags
    data = tags.get("data_licence")
    weights = tags.get("weights_licence") or (
        None if is_pretrained or known.experiment.is_imported else "none are used"
    )
    rows = [
        ("data", f"{data} (of the release that the layout {tags.get('layout')} is for)" if data else None),
        ("pretrained weights", weights),
        ("pneumobench", code()),
        ("the plugin's source", None if not _is_built_in(known) else "that of pneumobench"),
        ("the trained model", None),
    ]
    return Section("Licences", [facts(rows)])


def code() -> str | None:
    """The licence of the installed package, as its metadata has it."""
    try:
        about: Mapping[str, str] = metadata.metadata("pneumobench").json  # type: ignore[assignment]
    except metadata.PackageNotFoundError:
        return None
    return about.get("license_expression") or about.get("license") or None


def _is_built_in(known: Facts) -> bool:
    """Whether the plugin is the built-in one of that name, by its source's digest."""
    from pneumobench.authoring import digest, registry
    from pneumobench.errors import PneumobenchError

    try:
        entry = registry.find(known.experiment.plugin)
        own = digest.digest(entry, registry.load(known.experiment.plugin))
    except PneumobenchError:
        return False
    return entry.module.startswith("pneumobench.plugins.") and own == known.tags.get("plugin_digest")
