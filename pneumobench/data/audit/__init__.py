"""Faults of a dataset: findings, ranked by how much they can distort a result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pneumobench.data.audit import columns, duplicates, shortcuts
from pneumobench.data.audit.image_stats import Traits, gather
from pneumobench.data.dataset import Dataset
from pneumobench.data.findings import KINDS, Finding, of_names, ranked
from pneumobench.data.lockbox import Ledger, Look, unlock
from pneumobench.utils.progress import Progress


@dataclass(frozen=True)
class Audit:
    """The findings about a dataset, the worst for a result first; `decoded` images were read."""

    dataset: str
    fingerprint: str
    images: int
    decoded: int
    includes_test: bool
    findings: tuple[Finding, ...]
    seconds: float
    not_looked_for: Mapping[str, str] = field(default_factory=dict)  # kind -> why

    @property
    def clear(self) -> tuple[str, ...]:
        """Kinds of findings that were looked for and not found."""
        return tuple(kind for kind in KINDS if kind not in {one.kind for one in self.findings} | {*self.not_looked_for})

    def __json__(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "fingerprint": self.fingerprint,
            "images": self.images,
            "decoded": self.decoded,
            "includes_test": self.includes_test,
            "seconds": self.seconds,
            "not_found": list(self.clear),
            "not_looked_for": self.not_looked_for,
            "findings": self.findings,
        }


def audit(dataset: Dataset, progress: Progress, *, test: tuple[Ledger, Look] | None = None) -> Audit:
    """Audit the development side; the test images too if a ledger, and the look to record in it, are given.

    Without them only names and hashes are compared with the test side.
    """
    began = time.perf_counter()
    progress.stage("comparing names and hashes")
    findings = list(of_names(dataset))
    is_test = dataset.origins == "test"
    if test is not None:
        ledger, look = test
        unlock(ledger, look, dataset.hashes[is_test])
    own = dataset if test is not None else dataset.subset(~is_test)
    progress.stage(f"looking at {len(own):,} images")
    traits = gather(own, progress)
    progress.stage("looking for near duplicates")
    findings += duplicates.near(own, traits)
    progress.stage("predicting the label without looking at the lungs")
    # of a dataset of test images alone, what is said of training images is said of them
    inner = own.origins != "test" if len(own) and not is_test.all() else np.ones(len(own), bool)
    described = dataset if is_test.all() else dataset.subset(~is_test)
    findings += columns.of_label(described) + columns.both_classes(described)
    findings += columns.of_sites(own.subset(inner), traits.take(np.flatnonzero(inner)))
    findings += shortcuts.of_label(own.subset(inner), traits.take(np.flatnonzero(inner)))
    why_not = (
        {} if test is not None else dict.fromkeys(("near leak", "shift"), "--include-test decodes the test images")
    )
    if is_test.all() and test is None:
        why_not["shortcut"] = "in pixels: --include-test decodes the test images"
    elif few := shortcuts.too_few(own.labels[inner], own.patients[inner]):
        why_not["shortcut"] = few
    if test is not None:
        findings += shortcuts.of_side(own, traits)
    findings += _unreadable(own, traits)
    return Audit(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        images=len(dataset),
        decoded=len(own),
        includes_test=test is not None,
        findings=ranked(findings),
        seconds=time.perf_counter() - began,
        not_looked_for=why_not,
    )


def _unreadable(dataset: Dataset, traits: Traits) -> list[Finding]:
    whole = len(dataset) + len(dataset.unreadable)
    findings = []
    for kind, reasons, word, unhashed in (
        ("unreadable", traits.faults, "unreadable", dataset.unreadable),
        ("odd", traits.oddities, "unlike an X-ray", ()),
    ):
        bad = [(path, "empty, or no permission to read it") for path in unhashed]
        bad += [(str(dataset.paths[row]), str(reasons[row])) for row in np.flatnonzero(reasons != "")]
        if bad:
            text = f"{len(bad):,} of {whole:,} images are {word}, such as {bad[0][0]}: {bad[0][1]}"
            examples = tuple((path,) for path, _ in bad[:5])
            findings.append(Finding(kind, text, examples, {"images": len(bad)}, weight=float(len(bad))))
    return findings
