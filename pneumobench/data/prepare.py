"""From a folder's name to a split whose development side is decoded: where every command gets its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pneumobench.authoring.recipe import View
from pneumobench.data import findings, locate
from pneumobench.data.dataset import CLASSES, Dataset
from pneumobench.data.findings import Finding
from pneumobench.data.folds import divide_into_folds
from pneumobench.data.load import load as load_sources
from pneumobench.data.lockbox import Lockbox
from pneumobench.data.options import DataOptions
from pneumobench.data.split import limit, split
from pneumobench.data.subset import Development
from pneumobench.utils.progress import Progress

WORST = ("leak", "label conflict")  # findings that are reported before every training


@dataclass(frozen=True)
class Prepared:
    """A dataset, its division, how that was made, and what the user should know about it.

    `folds`, if any, divide the whole development side; its training and validation parts are then not used as such.
    `findings` come from names and hashes; `sources` name the folders or manifests that were read.
    """

    dataset: Dataset
    development: Development
    lockbox: Lockbox
    options: DataOptions
    notes: tuple[str, ...]
    folds: tuple[Development, ...] = ()
    findings: tuple[Finding, ...] = ()
    sources: tuple[str, ...] = ()

    def divided(self, split_seed: int) -> Prepared:
        """The same images, divided into training and validation by another seed; what cannot be read is left out."""
        if split_seed == self.options.split_seed:
            return replace(self, options=replace(self.options, split_seeds=1))
        options = replace(self.options, split_seed=split_seed, split_seeds=1)
        development, _ = split(self.dataset, policy=options.split, seed=split_seed, allow_leak=options.allow_leak)
        return replace(self, development=development, options=options)

    def sealed(self) -> Prepared:
        """The same with a lockbox that is empty: for a study's trials, which may not see test images."""
        return replace(self, lockbox=Lockbox(self.dataset.subset(np.zeros(len(self.dataset), bool))))

    @property
    def divisions(self) -> tuple[Development, ...]:
        """What is trained and validated on: every fold, or the one development side."""
        return self.folds or (self.development,)

    @property
    def lost(self) -> tuple[str, ...]:
        """The paths of unreadable files that were left out so far."""
        return self.dataset.unreadable + self.development.lost

    def summary(self) -> str:
        """One line: the dataset, how it was divided, and how many images of each class are where."""
        sides = [
            f"{sum(counts.values()):,} {part} ({', '.join(f'{n:,} {name}' for name, n in counts.items())})"
            for part, counts in self.counts().items()
        ]
        return f"{self.dataset.name}, split by {self.options.split}: {'; '.join(sides)}, locked"

    def counts(self, test_labels: np.ndarray | None = None) -> dict[str, dict[str, int]]:
        """How many images of each class are in each part; `test_labels` where fewer could be read."""
        if test_labels is None:
            test_labels = self.dataset.labels[self.dataset.origins == "test"]
        labels = {
            "training": self.development.training.labels,
            "validation": self.development.validation.labels,
            "test": test_labels,
        }
        if self.folds:  # every image is trained on, and held out once
            labels["training"] = labels["validation"] = np.concatenate([f.validation.labels for f in self.folds])
        return {
            part: dict(zip(CLASSES, np.bincount(values, minlength=2).tolist(), strict=True))
            for part, values in labels.items()
        }


def load(options: DataOptions, progress: Progress) -> Prepared:
    """Find, list, hash and divide the images; decode none. Notes go to `progress` as they arise.

    Raises: DataError where a patient is on both sides of the lockbox, unless that is allowed.
    """
    progress.stage("reading file names and hashes")
    loaded = load_sources(options, progress)
    dataset = loaded.dataset
    if options.limit is not None:
        dataset = limit(dataset, options.limit)
    development, lockbox = split(dataset, policy=options.split, seed=options.split_seed, allow_leak=options.allow_leak)
    problems = findings.of_names(dataset)
    notes = [locate.FALLBACK] if loaded.is_fallback else []
    if dataset.unmatched:
        notes.append(f"{dataset.unmatched:,} images have no known patient: each is its own")
    if options.limit is not None:
        notes.append(f"--limit {options.limit}: {len(dataset):,} images; not a result on the whole dataset")
    notes += [*dataset.notes, *dataset.not_read, *development.notes]
    notes += [f"{one.kind}: {one.text}" for one in problems if one.kind in WORST]
    for note in notes:
        progress.note(note, "phantom" if note == locate.FALLBACK else "note")
    prepared = Prepared(dataset, development, lockbox, options, tuple(notes), findings=problems, sources=loaded.sources)
    progress.fact(prepared.summary())
    return prepared


def decode(images: Prepared, views: Sequence[View], *, folds: int | None = None, progress: Progress) -> Prepared:
    """The images with the development side's pixels in the cache, and its folds if `folds` asks for some.

    Unreadable images are left out if the options say so.
    Raises: DataError that names the first unreadable image, or says why there cannot be so many folds.
    """
    progress.stage("decoding")
    development = images.development
    for view in views:
        development = development.readable(view, progress.advance)
        development.training.pixels(view, progress.advance)
        development.validation.pixels(view)
    divided = divide_into_folds(development, folds, seed=images.options.split_seed) if folds else ()
    return replace(images, development=development, folds=divided)
