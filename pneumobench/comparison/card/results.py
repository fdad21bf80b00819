"""The card's parts with figures: at home, at the threshold, by group, elsewhere and on altered images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import NOT_TRACKED, Block, Lines, Section, Table, facts
from pneumobench.evaluation.calibration import reliability
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.labels import label
from pneumobench.evaluation.words import UNDEFINED, figure, number, plural, signed

HOME = (
    *("auroc", "auprc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "ppv", "npv", "f1_pneumonia"),
    *("mcc", "accuracy_at_0.5", "sensitivity_at_0.5", "specificity_at_0.5", "brier", "log_loss", "ece"),
)
ALONE = {"calibration_in_the_large": "calibration in the large", "calibration_slope": "calibration slope"}


def at_home(known: Facts) -> Section:
    """Every figure on validation and on the test images, each with its interval."""
    several = len(known.runs) > 1
    how = "95 % intervals over patients" + (
        " and trainings; ± is the standard deviation over trainings" if several else ""
    )
    lines = [f"In brackets {how}."]
    if known.test is None:
        lines.append("The test images stayed closed: figures are on validation, on which the threshold was chosen too.")
    elif known.prevalence is not None:
        share = f"{100 * known.prevalence:.1f} %"
        lines.append(f"PPV and NPV hold for this share of pneumonia alone: {share} of the test images.")
    test = known.test or {}
    rows = [
        (label(name, full=True), _of(test, name), _of(known.validation, name))
        for name in HOME
        if name in test or name in known.validation
    ]
    return Section("Figures at home", [Table(("", "test", "validation"), rows), Lines(lines)])


def threshold(known: Facts) -> Section:
    """The operating point: its rule, where it was chosen, and how firm that is."""
    rule = known.tags["operating_point"]
    where = "validation images" if known.validation else NOT_TRACKED
    rows = [
        (
            f"{run.seed}",
            f"{run.split_seed}",
            number(run.metrics["threshold"]),
            f"{int(run.metrics['threshold_ties']):,}",
        )
        for run in known.runs
    ]
    return Section(
        "Threshold",
        [
            facts([("rule", rule), ("chosen on", where), ("what it means", MEANS)]),
            Table(("training seed", "split seed", "threshold", "equally good thresholds"), rows),
        ],
    )


MEANS = "a probability at or above it is called pneumonia; it is stored with the model and never tuned on test images"


def calibration(known: Facts) -> Section:
    """How far stated probabilities are met on the test images."""
    if not known.test:
        return Section("Calibration", [Lines([f"On test images {NOT_TRACKED}: they stayed closed."])])
    rows = [(name, signed(known.calibration[key])) for key, name in ALONE.items()]
    models = known.experiment.predictions("test")
    probability = np.concatenate([model.probability for model in models])
    curve = reliability(np.concatenate([model.label for model in models]), probability)
    bins = [
        (number(float(stated)), number(float(observed)), f"{int(count):,}")
        for stated, observed, count in zip(*curve, strict=True)
    ]
    lines = ["In the large 0, and a slope of 1, where probabilities are met; intervals over patients alone."]
    if len(models) > 1:
        lines.append("The table takes all trainings together, so that each image counts once for each.")
    names = ("mean stated probability", "observed share of pneumonia", "images")
    return Section("Calibration on the test images", [facts(rows), Table(names, bins), Lines(lines)])


def subgroups(known: Facts) -> Section:
    """Figures in groups of the test images."""
    if not known.test:
        return Section("Subgroups", [Lines([f"{NOT_TRACKED.capitalize()}: the test images stayed closed."])])
    if not known.groups:
        why = "the test images have no column with two groups of 20 images of each class"
        return Section("Subgroups", [Lines([f"{NOT_TRACKED.capitalize()}: {why}."])])
    metrics = ("auroc", "sensitivity", "specificity")
    rows = [
        (
            f"{group.column}: {group.name}",
            *(f"{n:,}{' (all)' if name == group.against else ''}" for name, n in group.counts.items()),
            *(_of(group.figures, name) for name in metrics),
        )
        for group in known.groups
    ]
    headings = ("group", "normal", "pneumonia", *(label(name) for name in metrics))
    line = "Exploratory: groups were not chosen beforehand, and their intervals are of one figure each."
    return Section("Subgroups of the test images", [Table(headings, rows), Lines([line])])


def elsewhere(known: Facts) -> Section:
    """Figures at every other site, as the models were frozen."""
    if not known.sites:
        return Section("Elsewhere", [Lines([f"{NOT_TRACKED.capitalize()}: it was judged at no other site."])])
    metrics = ("auroc", "sensitivity", "specificity", "ppv", "npv", "brier", "ece")
    rows = [
        (
            site.judged.site,
            *(f"{n:,}" for n in (*site.counts.values(), site.patients)),
            *(_of(site.figures, name) for name in metrics),
            *(signed(site.calibration[name]) for name in ALONE),
        )
        for site in known.sites
    ]
    headings = ("site", "normal", "pneumonia", "patients", *(label(name) for name in metrics), *ALONE.values())
    looks = [
        f"{site.judged.site}: {site.judged.dataset} {site.judged.fingerprint[:8]}, judged {site.judged.when[:10]}, "
        f"{plural(site.judged.looks, 'look')} at the same images before."
        for site in known.sites
    ]
    frozen = "Judged as frozen: threshold and preprocessing are those of home; nothing was tuned there."
    return Section("Elsewhere", [Table(headings, rows), Lines([frozen, *looks])])


def altered(known: Facts) -> Section:
    """AUROC on altered images, and on images that show no lungs."""
    if not known.altered:
        return Section("Altered images", [Lines([f"{NOT_TRACKED.capitalize()}: it was not tried on any."])])
    blocks: list[Block] = []
    for one in known.altered:
        where = "the test images" if one.is_home else f"images of {one.stressed.site}"
        kinds = [("as they are", number(one.clean)), *((kind, number(value)) for kind, value in one.kinds.items())]
        blocks.append(Table((f"{where} ({one.images:,}), altered by", "AUROC"), kinds))
        controls = [(name, number(value)) for name, value in one.controls.items()]
        blocks.append(Table(("where no lung can be read", "AUROC"), controls))
    lines = [
        "AUROC by kind is the mean of three severities; without intervals. "
        "Where no lung can be read, a model that reads lungs falls to .500."
    ]
    return Section("Altered images", [*blocks, Lines(lines)])


def _of(estimates: Mapping[str, Estimate], name: str) -> str:
    return figure(estimates[name]) if name in estimates else UNDEFINED


def spread(values: Sequence[float]) -> str:
    """The least and the largest of several values: ".412 to .530"; one alone as it is."""
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"
