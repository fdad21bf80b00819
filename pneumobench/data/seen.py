"""Which images a model was made with: kept beside it, and refused where it is judged on other images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pneumobench.data.audit import duplicates
from pneumobench.data.audit.image_stats import gather
from pneumobench.data.dataset import Dataset
from pneumobench.data.hashes import content_hashes
from pneumobench.data.subset import Development
from pneumobench.errors import DataError
from pneumobench.utils.progress import Progress

FILE = "images/development.parquet"  # among a run's artifacts


@dataclass(frozen=True, eq=False)
class Seen:
    """n images as arrays (n,): paths in their dataset's folder, content hashes, and what they were used for."""

    images: np.ndarray
    hashes: np.ndarray
    uses: np.ndarray


def write(development: Development, path: Path) -> None:
    """Keep the names and hashes of the training and validation images."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = {"training": development.training.dataset, "validation": development.validation.dataset}
    table = {
        "image": np.concatenate([part.paths for part in parts.values()]).astype(str),
        "hash": np.concatenate([part.hashes for part in parts.values()]).astype(str),
        "use": np.repeat(list(parts), [len(part) for part in parts.values()]),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table), path, compression="zstd")


def read(path: Path) -> Seen:
    """What `write` kept."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return Seen(*(np.array(table[name].to_pylist(), str) for name in ("image", "hash", "use")))


def refuse_same(dataset: Dataset, seen: Seen, who: str) -> None:
    """Raises: DataError that names images of the dataset whose contents a model was made with."""
    known = dict(zip(seen.hashes.tolist(), zip(seen.uses.tolist(), seen.images.tolist(), strict=True), strict=True))
    same = [
        (path, *known[digest])
        for path, digest in zip(dataset.paths.tolist(), dataset.hashes.tolist(), strict=True)
        if digest in known
    ]
    if same:
        raise DataError(_text(dataset, same, who, "are"))


def refuse_alike(dataset: Dataset, seen: Seen, root: Path, who: str, progress: Progress) -> str:
    """Raises: DataError that names images that are almost the same as ones a model was made with.

    These are read in the folder `root` where it still holds them; else a line says that nobody looked.
    """
    there = content_hashes(root, seen.images.tolist(), progress.advance) if root.is_dir() else []
    same = np.array([digest == own for (digest, _), own in zip(there, seen.hashes.tolist(), strict=False)], bool)
    if not same.any():
        return f"near duplicates of what {who} was made with were not looked for: its images are no longer in {root}"
    rows = np.flatnonzero(same)
    known = Dataset(
        root=root,
        name="known",
        paths=seen.images[rows],
        labels=np.zeros(len(rows), np.int8),
        patients=seen.hashes[rows],
        keys=np.full(len(rows), ""),
        subtypes=seen.uses[rows],
        origins=np.full(len(rows), "train"),
        hashes=seen.hashes[rows],
    )
    progress.stage("looking for near duplicates of training images")
    pairs = duplicates.between(dataset, gather(dataset, progress), known, gather(known, progress))
    if len(pairs):
        alike = [(str(dataset.paths[i]), str(known.subtypes[j]), str(known.paths[j])) for i, j in pairs]
        raise DataError(_text(dataset, alike, who, "are almost"))
    return "" if same.all() else f"{int((~same).sum()):,} images that {who} was made with could not be compared: gone"


def _text(dataset: Dataset, pairs: list[tuple[str, str, str]], who: str, verb: str) -> str:
    path, use, other = pairs[0]
    named = {one for one, *_ in pairs}
    more = ", ".join(sorted(named - {path})[:4])
    return (
        f"{len(named):,} of {len(dataset):,} images of {dataset.name} {verb} images of {who}'s own "
        f"data, such as {path} (in {use}: {other}){f', also {more}' if more else ''}; a model is judged on others"
    )
