"""Predictions that another framework made, tracked as runs: matched to the images by content, scored like any other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring import registry
from pneumobench.data import predicted, prepare
from pneumobench.data.lockbox import Look
from pneumobench.data.options import DataOptions, at_least
from pneumobench.data.prepare import Prepared
from pneumobench.errors import DataError, UsageError
from pneumobench.evaluation import estimates, operating_point, predictions
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment import described
from pneumobench.experiment.context import description_of, experiment_of, tags_of
from pneumobench.experiment.logged import entries
from pneumobench.experiment.options import gathered
from pneumobench.tracking.importing import as_guest
from pneumobench.tracking.recorder import DatasetInput, Recorder, recording
from pneumobench.tracking.runs import ELSEWHERE
from pneumobench.tracking.store import Store
from pneumobench.utils import provenance
from pneumobench.utils.hashing import content_hash
from pneumobench.utils.progress import Progress

Figures = Mapping[str, Estimate]


@dataclass(frozen=True)
class Imported:
    """What was tracked: the experiment's run, each training's by seed, their figures together, and how often the test
    images had been opened before."""

    run_id: str
    runs: Mapping[int, str]
    test: Figures
    validation: Figures | None
    looks: int


@as_guest()
def import_predictions(
    file: str | Path,
    name: str,
    data: DataOptions | str | Path | None = None,
    *,
    validation: str | Path | None = None,
    threshold: float | None = None,
    operating_point: str = "youden",
    seed: int | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Imported:
    """Track a table's predictions on all test images as runs of a model called `name`, one for each seed.

    The threshold is chosen by the rule `operating_point` on `validation`, a table of development images; else it is
    `threshold`, or 0.5. Tables are as in `predicted.read`; `options` are fields of `DataOptions`.
    Raises: UsageError or DataError before anything is tracked.
    """
    progress, store = progress or Progress(), Store(tracking_uri)
    _check(name, seed, validation, threshold, operating_point)
    file, held_out = Path(file), None if validation is None else Path(validation)
    of_data, _ = gathered(data, None, options)
    images = prepare.load(of_data, progress)
    is_test = images.dataset.origins == "test"
    probabilities = predicted.read(file, images.dataset, is_test, seed=seed, whole=True)
    chosen_on = {} if held_out is None else _validation(held_out, images, probabilities, operating_point, seed)
    if held_out is None and threshold is None:
        progress.note("no --validation and no --threshold: the threshold is 0.5, as nothing was given to choose it on")
    fixed = OperatingPoint(0.5 if threshold is None else threshold, f"{0.5 if threshold is None else threshold:g}")
    progress.stage("writing to the tracking store")
    tags = _tags(name, file, images, chosen_on, fixed)
    with _recording(store, images, name, list(probabilities), tags) as (parent, runs):
        opened, looks = images.lockbox.open(store.ledger, _look(name, images, parent.run_id))
        tested = {
            number: predictions.of([opened.dataset], [p], chosen_on[number].operating if chosen_on else fixed)
            for number, p in probabilities.items()
        }
        for number, run in runs.items():
            run.tags({"looks": looks})
            _log(run, tested[number], chosen_on.get(number))
        test = estimates.evaluate(list(tested.values()))
        validated = estimates.evaluate_validation({"": list(chosen_on.values())})[""] if chosen_on else None
        if parent not in runs.values():
            parent.tags({"looks": looks})
            parent.metrics(entries("test", test) | (entries("validation", validated) if validated else {}))
    if test["auroc"].value < 0.5:
        progress.note(f"test AUROC is {test['auroc'].value:.3f}: are these the probabilities of pneumonia?")
    return Imported(parent.run_id, {number: run.run_id for number, run in runs.items()}, test, validated, looks)


def _check(name: str, seed: int | None, validation: Any, threshold: float | None, rule: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise UsageError(f"--name is what the model is called in every table, not '{name}'")
    if name in registry.entries():
        raise UsageError(f"--name {name} is a plugin's; the two would be taken for one: choose another")
    at_least(("--seed", seed, 0))
    operating_point.check_rule(rule)
    if threshold is not None and validation is not None:
        raise UsageError("--threshold is for a model without --validation, on which the threshold would be chosen")
    if threshold is not None and not 0 < threshold < 1:
        raise UsageError(f"--threshold is in (0, 1), not {threshold:g}")


def _validation(
    file: Path, images: Prepared, tested: Mapping[int, np.ndarray], rule: str, seed: int | None
) -> dict[int, Predictions]:
    """Each seed's predictions on the development images of a table, with the operating point chosen on them."""
    development = images.dataset.origins != "test"
    by_seed = predicted.read(file, images.dataset, development, seed=seed, whole=False)
    if by_seed.keys() != tested.keys():
        listed = [", ".join(map(str, sorted(seeds))) for seeds in (tested, by_seed)]
        raise DataError(f"the test images have predictions of seed {listed[0]}, those of {file} are of {listed[1]}")
    held_out = {}
    for number, probabilities in by_seed.items():
        there = np.isfinite(probabilities)
        own = images.dataset.subset(development).subset(there)
        if len(np.unique(own.labels)) < 2:
            raise DataError(f"{file} has images of one class alone: no threshold can be chosen on them")
        point = operating_point.choose(rule, probabilities[there], own.labels)
        held_out[number] = predictions.of([own], [probabilities[there]], point)
    return held_out


def _tags(
    name: str, file: Path, images: Prepared, held_out: Mapping[int, Predictions], fixed: OperatingPoint
) -> dict[str, Any]:
    tags: dict[str, Any] = {
        "plugin": name,
        **tags_of(images),
        "imported": file.name,
        "imported_digest": content_hash(file.expanduser(), 8),
        "imported_by": f"pneumobench {provenance.version()}, commit {provenance.commit()[:7]}",
        "operating_point": next(iter(held_out.values())).operating.rule if held_out else fixed.rule,
        "command": provenance.command(),
        **{name: value for name, value in described.of_images(images).items() if name != "images"},
    }
    own = set(images.development.validation.dataset.hashes.tolist())
    if not held_out or any(set(one.hash.tolist()) != own for one in held_out.values()):
        tags |= {"split": ELSEWHERE, "split_seed": 0, "split_digest": ELSEWHERE}
    leak = next((finding.text for finding in images.findings if finding.kind == "leak"), None)
    return tags | ({"leak": leak} if leak else {})


@contextmanager
def _recording(
    store: Store, images: Prepared, name: str, seeds: list[int], tags: dict[str, Any]
) -> Iterator[tuple[Recorder, dict[int, Recorder]]]:
    """The experiment's run, and each seed's: a child where there are several, else the same."""
    dataset = images.dataset
    store.close_abandoned()
    experiment = store.experiment(experiment_of(dataset), dataset.fingerprint, description_of(dataset))
    sizes = {part: sum(counts.values()) for part, counts in images.counts().items()}
    about = DatasetInput(dataset.name, dataset.fingerprint, str(dataset.root), sizes)
    listed = ",".join(map(str, seeds))
    kind = {"kind": "seeds", "seeds": listed} if len(seeds) > 1 else {"kind": "run", "seed": listed}
    with ExitStack() as open_runs:
        title = f"{name}, imported, {f'{len(seeds)} seeds' if len(seeds) > 1 else f'seed {listed}'}"
        parent = open_runs.enter_context(recording(store, experiment, title, tags | kind))
        runs = dict.fromkeys(seeds, parent)
        for seed in seeds if len(seeds) > 1 else ():
            own = tags | {"kind": "seed", "seed": seed}
            child = recording(store, experiment, f"{name}, imported, seed {seed}", own, parent=parent.run_id)
            runs[seed] = open_runs.enter_context(child)
        for run in {id(run): run for run in (parent, *runs.values())}.values():
            run.dataset(about, "testing")
        yield parent, runs


def _log(run: Recorder, test: Predictions, held_out: Predictions | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        test.write(Path(folder) / "predictions" / "test.parquet")
        if held_out is not None:
            held_out.write(Path(folder) / "predictions" / "validation.parquet")
        run.artifacts(Path(folder))
    run.metrics({"threshold": test.operating.threshold, "threshold_ties": test.operating.ties})
    run.metrics(entries("test", estimates.evaluate([test])))
    if held_out is not None:
        run.metrics(entries("validation", estimates.evaluate([held_out])))


def _look(name: str, images: Prepared, run_id: str) -> Look:
    dataset = images.dataset
    return Look.now(plugin=name, run=run_id, fingerprint=dataset.fingerprint, dataset=dataset.name)
