"""Where a frozen model was judged elsewhere: what its run holds of each site, as a tag, predictions and metrics."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pneumobench.errors import UsageError
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking.recorder import DatasetInput, Recorder
from pneumobench.tracking.store import Store

TAG = "external."  # followed by the site's name
SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


@dataclass(frozen=True)
class Judged:
    """A look at a site's images by a frozen model: which images, when, and how many looks there were before."""

    site: str
    dataset: str
    fingerprint: str
    looks: int
    when: str
    command: str


def check_name(site: str) -> str:
    """The name as it is. Raises: UsageError unless it can be a part of a metric's and a file's name."""
    if not SITE.fullmatch(site):
        raise UsageError(f"--site is up to 60 letters, digits, '-', '_' and '.', not '{site}'")
    return site


def name_of(dataset: str) -> str:
    """A site's name from that of its dataset."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", dataset).strip("-.")[:60] or "external"


def part(site: str) -> str:
    """What the predictions on a site's images are called among a run's, as validation and test are."""
    return f"external_{site}"


def sites(tags: Mapping[str, str]) -> dict[str, Judged]:
    """The sites on which a run's model was judged, by name."""
    found = {}
    for name, value in sorted(tags.items()):
        if name.startswith(TAG):
            found[name.removeprefix(TAG)] = Judged(**json.loads(value))
    return found


def record(
    store: Store,
    run_id: str,
    judged: Judged,
    metrics: Mapping[str, float],
    predictions: Predictions | None = None,
    used: DatasetInput | None = None,
) -> None:
    """Add a judgement to a finished run; its tag comes last, so that what is cut short is not there.

    Raises: TrackingError where the store cannot be written.
    """
    run = Recorder(store, run_id)
    with tempfile.TemporaryDirectory() as folder:
        if predictions is not None:
            predictions.write(Path(folder) / "predictions" / f"{part(judged.site)}.parquet")
            run.artifacts(Path(folder))
    run.metrics(metrics, dataset=used)
    if used is not None:
        run.dataset(used, "testing")
    values: dict[str, Any] = {f"{TAG}{judged.site}": json.dumps(asdict(judged))}
    run.tags(values)
