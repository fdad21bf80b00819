"""Counts of a dataset: images, patients, sizes and modes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from pneumobench.data import decode, disk_cache
from pneumobench.data.dataset import CLASSES, ORIGINS
from pneumobench.data.load import load
from pneumobench.data.options import DataOptions
from pneumobench.utils.progress import Progress


@dataclass(frozen=True)
class Facts:
    """Counts of a dataset; `sizes` (median, least and most pixels a side) and `modes` are of the development side.

    So are `depths`, what decided the range of grey values (see `depth.depth_of`), in words, and `several_frames`, the
    files with more than one page or frame, of which one is read.
    """

    dataset: str
    root: str
    fingerprint: str
    images: int
    patients: int
    unmatched: int
    table: list[dict[str, Any]]
    sizes: dict[str, list[float]]
    modes: dict[str, int]
    depths: dict[str, int]
    several_frames: int
    unreadable: list[str]
    not_read: list[str]
    notes: list[str]
    columns: list[str]
    cache: str
    cache_bytes: int
    cache_limit: int


def gather(options: DataOptions, progress: Progress) -> Facts:
    """Count a dataset's images; of the test images names and hashes are read.

    Of the development side only images of more than 8 bits, and DICOM, are decoded.

    Raises: what loading it raises.
    """
    progress.stage("reading file names and hashes")
    dataset = load(options, progress, skip_unreadable=True).dataset
    table = []
    for origin in ORIGINS:
        for label, name in enumerate(CLASSES):
            for subtype in np.unique(dataset.subtypes):
                rows = (dataset.origins == origin) & (dataset.labels == label) & (dataset.subtypes == subtype)
                if rows.any():
                    patients = len(np.unique(dataset.patients[rows]))
                    counted = {"images": int(rows.sum()), "patients": patients}
                    table.append({"split": origin, "class": name, "subtype": str(subtype), **counted})
    own = [str(path) for path in dataset.paths[dataset.origins != "test"]]
    progress.stage("reading the headers of the development side")
    heads, bad = [], list(dataset.unreadable)
    for done, path in enumerate(own, 1):
        try:
            heads.append(decode.head(dataset.root / path))
        except (ValueError, OSError):
            bad.append(path)
        progress.advance(done, len(own))
    sides = np.array([head.size for head in heads]).reshape(-1, 2)
    sizes = {
        name: [float(np.median(values)), float(values.min()), float(values.max())]
        for name, values in (("width", sides[:, 0]), ("height", sides[:, 1]))
        if len(values)
    }
    return Facts(
        dataset=dataset.name,
        root=str(dataset.root),
        fingerprint=dataset.fingerprint,
        images=len(dataset),
        patients=len(np.unique(dataset.patients)),
        unmatched=dataset.unmatched,
        table=table,
        sizes=sizes,
        modes=dict(Counter(head.mode for head in heads).most_common()),
        depths=dict(Counter(head.depth for head in heads).most_common()),
        several_frames=sum(head.frames > 1 for head in heads),
        unreadable=bad,
        not_read=list(dataset.not_read),
        notes=list(dataset.notes),
        columns=list(dataset.columns),
        cache=str(disk_cache.folder()),
        cache_bytes=sum(entry.size for entry in disk_cache.entries()),
        cache_limit=disk_cache.limit(),
    )
