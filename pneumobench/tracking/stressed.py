"""What a run holds of its model's predictions for altered images: a table with a column an alteration, and a tag."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking.recorder import Recorder
from pneumobench.tracking.runs import TrackedRun
from pneumobench.tracking.store import Store

TAG = "stress."  # followed by the site, or "test" for the test images at home
KNOWN = ("image", "patient", "hash", "label")  # columns of the table, before those of the alterations
HOME = "test"
Probabilities = Mapping[str, np.ndarray]  # by alteration ("defocus 1", "centre hidden"), (n,) each


@dataclass(frozen=True)
class Stressed:
    """A look at altered images: whose, how many looks there were before, the alterations' seed and version.

    `floors` is, by control, the AUROC that the mean grey value alone scores; {} in what was recorded before it was.
    """

    site: str
    dataset: str
    looks: int
    when: str
    command: str
    seed: int
    version: int
    floors: dict[str, float] = field(default_factory=dict)


def part(site: str) -> str:
    """What the predictions for a site's altered images are called among a run's."""
    return f"stress_{site}"


def sites(tags: Mapping[str, str]) -> dict[str, Stressed]:
    """On which sites' altered images a run's model was tried, by name."""
    return {
        name.removeprefix(TAG): Stressed(**json.loads(value))
        for name, value in sorted(tags.items())
        if name.startswith(TAG)
    }


def write(path: Path, model: Predictions, altered: Probabilities) -> None:
    """The images with their labels and patients, and a column of probabilities for each alteration."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = {name: getattr(model, name) for name in KNOWN}
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {**known, "as it is": model.probability, **altered}
    pq.write_table(
        pa.table({n: v.astype(np.float32) if v.dtype == np.float64 else v for n, v in columns.items()}),
        path,
        compression="zstd",
    )


def read(run: TrackedRun, site: str = HOME) -> dict[str, Predictions] | None:
    """A run's predictions by alteration; None where it was not tried there. No subtype is known of these."""
    import pyarrow.parquet as pq

    path = run.file(part(site)) if site in sites(run.tags) else None
    if path is None:
        return None
    table = pq.read_table(path)
    image, patient, digest = (np.array(table[name].to_pylist(), str) for name in KNOWN[:3])
    label, subtype = table["label"].to_numpy(), np.full(len(image), "")
    at = OperatingPoint(
        run.metrics["threshold"], run.tags["operating_point"], int(run.metrics.get("threshold_ties", 1))
    )
    return {
        name: Predictions(image, patient, subtype, digest, label, table[name].to_numpy().astype(float), at)
        for name in table.column_names
        if name not in KNOWN
    }


def record(
    store: Store,
    run_id: str,
    stressed: Stressed,
    metrics: Mapping[str, float],
    model: Predictions | None = None,
    altered: Probabilities | None = None,
) -> None:
    """Add them to a finished run; its tag comes last, so that what is cut short is not there.

    Raises: TrackingError where the store cannot be written.
    """
    run = Recorder(store, run_id)
    if model is not None and altered is not None:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "predictions" / f"{part(stressed.site)}.parquet", model, altered)
            run.artifacts(Path(folder))
    run.metrics(metrics)
    tags: dict[str, Any] = {f"{TAG}{stressed.site}": json.dumps(asdict(stressed))}
    run.tags(tags)
