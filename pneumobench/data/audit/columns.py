"""How well what is known of an image beside its pixels predicts the label, and how patients and sites mix."""

from __future__ import annotations

import numpy as np

from pneumobench.data.audit.image_stats import Traits
from pneumobench.data.audit.shortcuts import FOLDS, NOTEWORTHY, SHOWN, auroc, columns, held_out
from pneumobench.data.dataset import Dataset
from pneumobench.data.findings import EXAMPLES, Finding
from pneumobench.data.sites import SITE

LEVELS = 20  # a column with more different words is a name or a text


def of_label(dataset: Dataset) -> list[Finding]:
    """Each column's AUROC for pneumonia, with its 95 % interval over patients, if it is .1 or more from chance.

    Of two values the one that sorts first is the positive sign (AP of AP and PA), of numbers the larger; of more words
    the score is that of a cross-validated tree. Images without a value are left out.
    """
    findings = []
    for name, values in dataset.columns.items():
        rows = np.flatnonzero(values != "")
        scored = _scores(dataset.subset(rows), values[rows])
        if scored is None:
            continue
        sign, scores = scored
        own = dataset.subset(rows)
        value, low, high = auroc(own.labels, scores, own.patients)
        if abs(value - 0.5) < NOTEWORTHY - 0.5 or low <= 0.5 <= high:
            continue
        order = own.paths[np.argsort(scores, kind="stable")].tolist()
        interval = " [{}, {}]".format(*(f"{end:.3f}".removeprefix("0") for end in (low, high)))
        text = f"{name} alone{sign} predicts pneumonia with AUROC {value:.3f}".replace(" 0.", " .") + interval
        if len(rows) < len(dataset):
            text += f", on the {len(rows):,} images that have one"
        figures = {"auroc": value, "low": low, "high": high}
        findings.append(
            Finding("shortcut", text, (tuple(order[:SHOWN]), tuple(order[-SHOWN:])), figures, max(value, 1 - value))
        )
    return findings


def both_classes(dataset: Dataset) -> list[Finding]:
    """The patients with images of both classes, if there are any."""
    names, inverse = np.unique(dataset.patients, return_inverse=True)
    of_class = [np.bincount(inverse[dataset.labels == label], minlength=len(names)) > 0 for label in (0, 1)]
    mixed = names[of_class[0] & of_class[1]]
    if not len(mixed):
        return []
    pairs = [
        tuple(str(dataset.paths[(dataset.patients == patient) & (dataset.labels == label)][0]) for label in (0, 1))
        for patient in mixed[:EXAMPLES]
    ]
    text = f"{len(mixed):,} patient{'s' * (len(mixed) != 1)} with images of both classes, such as {mixed[0]}"
    return [Finding("patients in both classes", text, tuple(pairs), {"patients": len(mixed)})]


def of_sites(dataset: Dataset, traits: Traits) -> list[Finding]:
    """How well a site's images are told from the others' of the same class by traits alone, where there are several."""
    names = np.unique(dataset.columns.get(SITE, np.array([], str)))
    if not 2 <= len(names) <= LEVELS:
        return []
    findings = []
    usable = traits.faults == ""
    for label, word in enumerate(("normal", "pneumonia")):
        rows = np.flatnonzero((dataset.labels == label) & usable)
        own, values = dataset.subset(rows), columns(traits.take(rows))
        if not values:
            continue
        features = np.column_stack(list(values.values()))
        for name in names if len(names) > 2 else names[:1]:
            here = (own.columns[SITE] == name).astype(np.int8)
            scores = held_out(features, here, own.patients)
            if scores is None:
                continue
            value, low, high = auroc(here, scores, own.patients)
            if low < NOTEWORTHY:
                continue
            text = f"{word} images of {name} can be told from those of other sites with AUROC {value:.3f}, by size, "
            text += "brightness and the like"
            findings.append(Finding("shift", text, (), {"auroc": value, "low": low, "high": high}, value))
    return findings


def _scores(dataset: Dataset, values: np.ndarray) -> tuple[str, np.ndarray] | None:
    """What is taken for the positive sign, and a score for each image; None where nothing can be said."""
    least = min(len(np.unique(dataset.patients[dataset.labels == label])) for label in (0, 1))
    words = np.unique(values)
    if least < FOLDS or len(words) < 2:
        return None
    if len(words) == 2:
        return f" ({words[0]} as the positive sign)", (values == words[0]).astype(float)
    try:
        numbers = np.array(values.tolist(), float)
    except ValueError:
        if len(words) > LEVELS:
            return None
        codes = (values[:, None] == words[None]).astype(float)
        scores = held_out(codes, dataset.labels, dataset.patients)
        return None if scores is None else ("", scores)
    return ("", numbers) if np.isfinite(numbers).all() else None
