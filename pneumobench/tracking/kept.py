"""What a tracking store did not take: kept whole in a folder on this machine, and sent when the store answers again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pneumobench.errors import PneumobenchError, TrackingError
from pneumobench.tracking.recorder import DatasetInput, Recorder
from pneumobench.tracking.store import Store
from pneumobench.utils.files import whole_folder
from pneumobench.utils.hashing import text_hash
from pneumobench.utils.jsonable import to_json

CARD, FILES, MODEL = "kept.json", "files", "model"
HOW = "`pneumobench send` sends them once the store answers"


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What is to be logged to a run: tags, metrics on a dataset, the metrics of epochs, and how its model is logged."""

    tags: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset: DatasetInput | None = None
    epochs: Sequence[tuple[int, Mapping[str, float]]] = ()
    model: Mapping[str, Any] | None = None


def keep(run: Recorder, parcel: Parcel, fill: Callable[[Path, Path], object]) -> Path:
    """Write a parcel to the run's folder, and return it; `fill(files, model)` writes the artifacts and the model."""
    card = {"store": text_hash(run.store.uri, 16), **asdict(parcel)}
    with whole_folder(run.kept) as folder:
        (folder / FILES).mkdir()
        fill(folder / FILES, folder / MODEL)
        (folder / CARD).write_text(json.dumps(to_json(card)))
    return run.kept


def waiting(store: Store) -> list[str]:
    """The ids of the runs of which something is kept for this store."""
    folder, ours = store.folder / "kept", text_hash(store.uri, 16)
    return sorted(card.parent.name for card in folder.glob(f"*/{CARD}") if _read(card).get("store") == ours)


def send(store: Store, run_id: str) -> None:
    """Log what is kept of a run, end it as FINISHED, and remove the folder.

    Raises: TrackingError where the store does not take it; all of it is then still kept.
    """
    run = Recorder(store, run_id)
    card = _read(run.kept / CARD)
    with store.reporting_errors():
        run.history([(number, _defined(figures)) for number, figures in card["epochs"]])
        run.artifacts(run.kept / FILES)
        outputs = store.run(run_id).outputs  # None where no model is logged
        logged = [output.model_id for output in outputs.model_outputs] if outputs else []
        if card["model"] and not logged:
            logged = [run.model(run.kept / MODEL, **card["model"])]
        dataset = DatasetInput(**card["dataset"]) if card["dataset"] else None
        run.metrics(_defined(card["metrics"]), model_id=logged[0] if logged else None, dataset=dataset)
        run.tags(card["tags"])
        with suppress(Exception):  # there is none where the store was away when the run ended
            store.client.delete_tag(run_id, "error")
        store.client.set_terminated(run_id, "FINISHED")
    shutil.rmtree(run.kept, ignore_errors=True)


def send_all(store: Store) -> tuple[list[str], list[str]]:
    """Send all that is kept for a store: the ids of the runs that are complete now, and a line for each other one."""
    sent, failed = [], []
    for run_id in waiting(store):
        try:
            if store.run(run_id) is None:
                raise TrackingError("the store does not have it")
            send(store, run_id)
            sent.append(run_id)
        except (PneumobenchError, KeyError, TypeError) as error:
            failed.append(f"run {run_id[:8]} is still incomplete, {Recorder(store, run_id).kept} is kept: {error}")
    return sent, failed


def _defined(figures: Mapping[str, float | None]) -> dict[str, float]:
    """The figures without undefined ones, which JSON has as null."""
    return {name: value for name, value in figures.items() if value is not None}


def _read(card: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(card.read_text()))
    except (OSError, ValueError):
        return {}
