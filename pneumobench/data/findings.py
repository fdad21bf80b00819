"""Faults of a dataset that names and hashes show: leaks, label conflicts, and duplicate files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pneumobench.data.dataset import Dataset

# kinds of findings, the worst for a result first
KINDS = (
    "leak",  # a patient or an identical image on both sides of the lockbox
    "near leak",  # an image on one side, and one that is almost the same on the other
    "label conflict",  # the same pixels under both classes
    "shift",  # training images can be distinguished from test images
    "shortcut",  # something other than the lungs predicts the label
    "two patient keys",  # identical files under two patients
    "patients in both classes",
    "near duplicates",
    "identical files",
    "not read",  # files that the layout passes over
    "unreadable",
    "odd",
)
EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One finding: its kind, a sentence, groups of paths as examples, and the figures behind it.

    `weight` ranks findings of one kind.
    """

    kind: str
    text: str
    examples: tuple[tuple[str, ...], ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    weight: float = 0.0


def ranked(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings, the worst for a result first."""
    return tuple(sorted(findings, key=lambda one: (KINDS.index(one.kind), -one.weight)))


def of_names(dataset: Dataset) -> tuple[Finding, ...]:
    """Findings from names and hashes; no image is opened, so that every training can afford it."""
    problems = [leak(dataset), *(Finding("not read", text) for text in dataset.not_read)]
    groups = identical(dataset.hashes)
    paths = [tuple(dataset.paths[group].tolist()) for group in groups]
    if groups:
        files = sum(len(group) for group in groups)
        text = f"{_many(len(groups), 'group')} of identical files, {files} files in all"
        problems.append(
            Finding("identical files", text, tuple(paths[:EXAMPLES]), {"groups": len(groups), "files": files})
        )
    conflicts = [path for path, group in zip(paths, groups, strict=True) if len(set(dataset.labels[group])) > 1]
    if conflicts:
        text = f"{_many(len(conflicts), 'group')} of identical files under both classes, such as {conflicts[0][0]}"
        problems.append(Finding("label conflict", text, tuple(conflicts[:EXAMPLES]), {"groups": len(conflicts)}))
    keyed = [path for path, group in zip(paths, groups, strict=True) if len(set(dataset.keys[group]) - {""}) > 1]
    if keyed:
        text = f"{_many(len(keyed), 'group')} of identical files under two patients' names, treated as one patient"
        text += f", such as {' and '.join(keyed[0][:2])}"
        problems.append(Finding("two patient keys", text, tuple(keyed[:EXAMPLES]), {"groups": len(keyed)}))
    return ranked([one for one in problems if one is not None])


def leak(dataset: Dataset) -> Finding | None:
    """The patients who are on both sides of the lockbox; identical files make one patient of two."""
    is_test = dataset.origins == "test"
    shared = np.intersect1d(dataset.patients[is_test], dataset.patients[~is_test])
    if not len(shared):
        return None
    pairs = [
        tuple(str(dataset.paths[(dataset.patients == patient) & side][0]) for side in (~is_test, is_test))
        for patient in shared[:EXAMPLES]
    ]
    text = f"{_many(len(shared), 'patient')} in both training and test, such as {shared[0]} ({' and '.join(pairs[0])})"
    return Finding("leak", text, tuple(pairs), {"patients": len(shared)})


def identical(hashes: np.ndarray) -> list[np.ndarray]:
    """The rows of each content that occurs more than once."""
    order = np.argsort(hashes, kind="stable")
    groups = np.split(order, np.flatnonzero(hashes[order][1:] != hashes[order][:-1]) + 1)
    return sorted((np.sort(group) for group in groups if len(group) > 1), key=lambda group: int(group[0]))


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' if count != 1 else ''}"
