"""What is known about an experiment before training starts: tags, parameters, ledger entry, dataset entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pneumobench.authoring import digest
from pneumobench.authoring.components import views
from pneumobench.authoring.discovery import Entry
from pneumobench.authoring.knobs import resolve
from pneumobench.authoring.recipe import Plugin, View
from pneumobench.data.dataset import Dataset
from pneumobench.data.permuted import permuted
from pneumobench.data.prepare import Prepared
from pneumobench.errors import UsageError
from pneumobench.experiment import described
from pneumobench.experiment.study_origin import Origin
from pneumobench.tracking.recorder import DatasetInput
from pneumobench.training import trainer
from pneumobench.training.options import TrainOptions
from pneumobench.utils import provenance
from pneumobench.utils.hashing import content_hash, text_hash


class Training(NamedTuple):
    """What tells a training of an experiment from the others: its seed, and the seed of its division of the images."""

    seed: int
    split_seed: int


@dataclass(frozen=True)
class Context:
    """An experiment's plugin with the values of all its knobs, its images, and its training options."""

    entry: Entry
    plugin: Plugin
    knobs: Mapping[str, Any]
    images: Prepared
    train: TrainOptions
    name_in_study: str = ""  # the name in the study's file, where a study defines the plugin itself
    study: str | None = None  # the study whose file lists the plugin
    origin: Origin | None = None  # the study that selected the knobs

    @property
    def trainings(self) -> list[Training]:
        """The trainings of the experiment: every seed on every division."""
        seeds, divisions = self.train.numbers, self.images.options.divisions
        return [Training(seed, split_seed) for split_seed in divisions for seed in seeds]

    def at(self, training: Training) -> Context:
        """The context of one training: its seed and its division alone."""
        train = replace(self.train, seeds=1, seed=training.seed)
        images = self._divided(training.split_seed)
        images = permuted(images, training.seed) if train.permute_labels else images
        return replace(self, images=images, train=train)

    def title(self, training: Training) -> str:
        """A training in words: its seed, and its division where there are several."""
        several = self.images.options.split_seeds > 1
        return f"seed {training.seed}" + (f", split {training.split_seed}" if several else "")

    def check_divisions(self) -> None:
        """Raises: UsageError where two of the divisions are the same."""
        divided = {self._divided(split_seed).development.digest for split_seed in self.images.options.divisions}
        if len(divided) < self.images.options.split_seeds:
            raise UsageError("--split-seeds takes a split that its seed changes; this one is the same for every seed")

    def _divided(self, split_seed: int) -> Prepared:
        if split_seed not in self._divisions:
            images = self.images.divided(split_seed)
            for view in self.views:
                images = replace(images, development=images.development.readable(view))
            self._divisions[split_seed] = images
        return self._divisions[split_seed]

    @cached_property
    def _divisions(self) -> dict[int, Prepared]:
        return {}

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.name_in_study or self.entry.name

    @property
    def views(self) -> list[View]:
        """The image shapes that the plugin takes, one for each component."""
        return views(self.plugin, self.knobs)

    @property
    def experiment(self) -> str:
        """One MLflow experiment per dataset, so that no table mixes two: its name and fingerprint's first digits."""
        return experiment_of(self.images.dataset)

    @property
    def description(self) -> str:
        """What MLflow shows above the table of runs."""
        return description_of(self.images.dataset)

    @property
    def parameters(self) -> dict[str, Any]:
        """The knobs, and the total number of epochs where it was set."""
        epochs = self.train.epochs
        return {**self.knobs, **({} if epochs is None else {"epochs_in_all": epochs})}

    @property
    def changed_knobs(self) -> dict[str, Any]:
        """The knobs that differ from their defaults."""
        defaults = resolve(self.plugin, {})
        return {name: value for name, value in self.knobs.items() if defaults.get(name, self) != value}

    @property
    def plugin_digest(self) -> str:
        """16 hexadecimal digits over the source code of the plugin and of its hooks."""
        return digest.digest(self.entry, self.plugin)

    @property
    def files(self) -> str:
        """ "knob: digest of the file", for each knob whose value is a file's path, such as pretrained weights."""
        return ", ".join(
            f"{name}: {content_hash(Path(value).expanduser(), 8)}"
            for name, value in self.knobs.items()
            if _is_file(value)
        )

    @property
    def input(self) -> DatasetInput:
        """The dataset as MLflow stores it."""
        dataset = self.images.dataset
        sizes = {part: sum(counts.values()) for part, counts in self.images.counts().items()}
        return DatasetInput(dataset.name, dataset.fingerprint, str(dataset.root), sizes)

    def tags(self) -> dict[str, Any]:
        """Tags to filter runs by, and those needed to reproduce a run."""
        backend, device = trainer.runs_on(self.plugin, self.knobs)
        versions = ", ".join(f"{name} {number}" for name, number in provenance.versions().items())
        tags = {
            "plugin": self.name,
            **tags_of(self.images),
            "plugin_digest": self.plugin_digest,
            "key": self.key,
            "operating_point": self.train.operating_point,
            "backend": backend,
            "device": device,
            "git_commit": provenance.commit(),
            "versions": versions,
            "command": provenance.command(),
            **described.of_images(self.images),
            **described.of_model(self.plugin, self.knobs),
            **described.of_pixels(self.images, self.views),
        }
        optional = {"folds": len(self.images.folds) or None, "files": self.files or None}
        optional["set"] = ", ".join(f"{name}={_short(value)}" for name, value in self.changed_knobs.items()) or None
        findings = self.images.findings
        optional["audit"] = "; ".join(finding.text for finding in findings) or None
        optional["leak"] = next((finding.text for finding in findings if finding.kind == "leak"), None)
        optional["permuted"] = "labels" if self.train.permute_labels else None
        optional["calibrate"] = self.train.calibrate if self.train.calibrate != "none" else None
        optional |= self.origin.tags() if self.origin else {}
        return tags | {name: value for name, value in optional.items() if value is not None}

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits that experiments share which differ in nothing but seeds, divisions and versions."""
        images, train = self.images, self.train
        backend, _ = trainer.runs_on(self.plugin, self.knobs)
        same = {
            "plugin": (self.name, self.plugin_digest, self.files),
            "knobs": {name: str(value) for name, value in sorted(self.knobs.items())},
            "images": (images.dataset.fingerprint, images.options.split, images.options.limit, train.folds),
            "training": (train.epochs, train.operating_point, train.permute_labels, train.calibrate),
            "computed": (backend, trainer.precision_of(self.plugin, self.knobs, train.precision)),
        }
        return text_hash(json.dumps(same), 8)

    def identity(self) -> dict[str, Any]:
        """What makes two trainings the same training, down to the library versions and the kind of device."""
        backend, device = trainer.runs_on(self.plugin, self.knobs)
        return {
            **tags_of(self.images),
            "plugin": (self.name, self.plugin_digest, self.files),
            "knobs": {name: str(value) for name, value in self.knobs.items()},
            "budget": (self.train.seed, self.train.epochs, self.train.precision, len(self.images.folds)),
            "permuted": self.train.permute_labels,
            "computed": (backend, device, provenance.versions()),
        }


def tags_of(images: Prepared) -> dict[str, Any]:
    """Tags of a run or a study about its images and their split."""
    options = images.options
    return {
        "dataset": images.dataset.name,
        "fingerprint": images.dataset.fingerprint,
        "split": options.split,
        "split_seed": options.split_seed,
        "split_digest": images.development.digest,
        **({} if options.limit is None else {"limit": options.limit}),
    }


def experiment_of(dataset: Dataset) -> str:
    """The name of a dataset's experiment."""
    return f"{dataset.name} {dataset.fingerprint[:8]}"


def description_of(dataset: Dataset) -> str:
    """What MLflow shows above the table of a dataset's runs."""
    return (
        f"Plugins on the dataset '{dataset.name}' (fingerprint {dataset.fingerprint}). "
        "test_* metrics are computed once at the threshold chosen on validation, test_*_at_0.5 at 0.5; "
        "_low and _high bound their 95 % bootstrap intervals over patients. A run of several seeds holds "
        "means and _sd, its child runs the seeds; a study's child runs are its trials, which never see test images. "
        "Group by the tag `plugin` to compare."
    )


def _is_file(value: Any) -> bool:
    return isinstance(value, str) and len(value) < 1000 and Path(value).expanduser().is_file()


def _short(value: Any) -> str:
    """A value for display: a file by its name, a tuple as its items joined by +."""
    if _is_file(value):
        return Path(value).name
    return "+".join(value) if isinstance(value, tuple) else str(value)
