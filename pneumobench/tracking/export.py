"""A folder of exported trainings: what a comparison needs, small enough to commit, without images."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path

from pneumobench.errors import TrackingError, UsageError
from pneumobench.tracking import judged, stressed
from pneumobench.tracking.runs import TrackedRun
from pneumobench.utils.files import whole_folder
from pneumobench.utils.names import file_name

CARD = "run.json"
# the tags that say how a model was made, and nothing about whose machine made it
TAGS = (
    *("plugin", "plugin_digest", "dataset", "fingerprint", "split", "split_seed", "split_digest", "operating_point"),
    *("kind", "set", "seed", "folds", "limit", "leak", "permuted", "calibrate", "unreadable", "added_after"),
    *("members", "files", "parameters", "audit"),
    *(
        "images",
        "layout",
        "data_licence",
        "data_citation",
        "weights_licence",
        "view",
        "augmentation",
        "balancing",
        "greys",
    ),
    *("from_study", "from_trial", "trials_spent", "trials_of_study"),
    *(
        "backend",
        "device",
        "precision",
        "git_commit",
        "versions",
        "command",
        "imported",
        "imported_digest",
        "imported_by",
    ),
)
METRICS = (
    *("threshold", "threshold_ties", "training_seconds", "training_images_per_second"),
    *("training_energy_gpu_wh", "training_energy_cpu_wh"),
)


def write(run: TrackedRun, to: Path) -> Path:
    """Write a training into a folder of its own inside `to`; an older export of the same run is replaced.

    The folder holds `run.json` (tags, knobs, threshold, seconds, looks) and the predictions as Parquet files.
    """
    elsewhere = [f"{judged.TAG}{site}" for site in judged.sites(run.tags)]
    elsewhere += [f"{stressed.TAG}{site}" for site in stressed.sites(run.tags)]
    folder = to / file_name(f"{run.plugin}-{run.seed}-{run.run_id[:8]}")
    card = {
        "run_id": run.run_id,
        "parent": run.parent,
        "started": run.started,
        "looks": run.looks,
        "tags": {name: _relative(run.tags[name]) for name in (*TAGS, *elsewhere) if name in run.tags},
        "knobs": {name: _relative(value) for name, value in run.params.items()},
        "metrics": {name: run.metrics[name] for name in METRICS if name in run.metrics},
    }
    with whole_folder(folder) as building:
        for part in ("validation", "test", *map(judged.part, judged.sites(run.tags))):
            if predictions := run.predictions(part):
                predictions.write(building / f"{part}.parquet")
        for site in stressed.sites(run.tags):
            if path := run.file(stressed.part(site)):
                shutil.copy(path, building / f"{stressed.part(site)}.parquet")
        (building / CARD).write_text(json.dumps(card, indent=2) + "\n")
    return folder


def _relative(text: str) -> str:
    """A text with each absolute path in it cut to its last name: whose machine it lay on is private."""
    return re.sub(r"(?<![^\s='\"])/(?:[^/\s'\"]+/)*([^/\s'\"]+)", r"\1", text)


def read(folder: Path) -> list[TrackedRun]:
    """The trainings of a folder that `write` filled, the latest first.

    Raises: UsageError where there is no such folder, TrackingError for a card that cannot be read.
    """
    cards = sorted(folder.glob(f"*/{CARD}"))
    if not cards:
        raise UsageError(
            f"{folder} holds no exported run (*/{CARD}); `pneumobench export RUN_ID --to {folder}` does it"
        )
    return sorted(map(_read, cards), key=lambda run: run.started, reverse=True)


def _read(card: Path) -> TrackedRun:
    try:
        exported = json.loads(card.read_text())
        return TrackedRun(
            run_id=exported["run_id"],
            parent=exported["parent"],
            started=exported["started"],
            tags=exported["tags"],
            params=exported["knobs"],
            metrics=exported["metrics"],
            looks=exported["looks"],
            file=partial(_file, card.parent),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrackingError(f"{card} is not an exported run: {type(error).__name__}: {error}") from error


def _file(folder: Path, part: str) -> Path | None:
    path = folder / f"{part}.parquet"
    return path if path.exists() else None
