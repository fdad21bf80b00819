"""What a model says of some images, with all that is needed to score it again: in memory, and as a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from pneumobench.errors import TrackingError
from pneumobench.evaluation.operating_point import OperatingPoint

COLUMNS = ("image", "patient", "subtype", "hash", "label")
SAID = ("probability", "predicted")


class Images(Protocol):
    """What is known of n images apart from their pixels, as arrays (n,); a `Dataset` is one."""

    @property
    def paths(self) -> np.ndarray: ...
    @property
    def patients(self) -> np.ndarray: ...
    @property
    def subtypes(self) -> np.ndarray: ...
    @property
    def hashes(self) -> np.ndarray: ...
    @property
    def labels(self) -> np.ndarray: ...
    def __len__(self) -> int: ...
    @property
    def columns(self) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Predictions:
    """n images as arrays of length n, the probabilities (n,) float64 of pneumonia, and the operating point.

    `image` is a path relative to the dataset's folder; the others, `columns` among them, are as in `Dataset`.
    """

    image: np.ndarray
    patient: np.ndarray
    subtype: np.ndarray
    hash: np.ndarray
    label: np.ndarray
    probability: np.ndarray
    operating: OperatingPoint
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.label)

    @property
    def predicted(self) -> np.ndarray:
        """(n,) bool: pneumonia is said at the operating point's threshold."""
        return self.probability >= self.operating.threshold

    def take(self, rows: np.ndarray) -> Predictions:
        """Those of these rows (indices or a mask)."""
        arrays = {name: getattr(self, name)[rows] for name in (*COLUMNS, "probability")}
        return replace(self, **arrays, columns={name: values[rows] for name, values in self.columns.items()})

    def same_images(self, other: Predictions) -> bool:
        """Whether both are about the same images with the same labels, in the same order."""
        return np.array_equal(self.hash, other.hash) and np.array_equal(self.label, other.label)

    def in_order(self) -> Predictions:
        """The same in the order of `read`: by hash, then by path."""
        return self.take(np.lexsort((self.image, self.hash)))

    def write(self, path: Path) -> None:
        """One row an image, the decision at the threshold included."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {name: getattr(self, name) for name in COLUMNS}
        columns |= {"probability": self.probability, "predicted": self.predicted.astype(np.int8)}
        columns |= {_free(name): values for name, values in self.columns.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path, compression="zstd")


def of(images: Sequence[Images], probabilities: Sequence[np.ndarray], operating: OperatingPoint) -> Predictions:
    """The predictions for several sets of images together, such as the held-out parts of all folds."""
    return Predictions(
        image=np.concatenate([d.paths for d in images]).astype(str),
        patient=np.concatenate([d.patients for d in images]).astype(str),
        subtype=np.concatenate([d.subtypes for d in images]).astype(str),
        hash=np.concatenate([d.hashes for d in images]).astype(str),
        label=np.concatenate([d.labels for d in images]),
        probability=np.concatenate(list(probabilities)),
        operating=operating,
        columns={name: _joined(images, name) for name in dict.fromkeys(name for d in images for name in d.columns)},
    )


def read(path: Path, operating: OperatingPoint) -> Predictions:
    """The predictions of a file that `write` wrote, in the order of their hashes, whatever the files were called.

    Raises: TrackingError where it is no such file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:  # read_table would import pandas
            table = file.read()
        if missing := {*COLUMNS, "probability"} - {*table.column_names}:
            raise TrackingError(f"{path} holds no predictions: it lacks {', '.join(sorted(missing))}")
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).partition("\n")[0]
        raise TrackingError(f"{path} holds no predictions: {reason}") from error
    columns = {name: np.array(table[name].to_pylist()) for name in COLUMNS}
    columns["label"] = columns["label"].astype(np.int8)
    columns["probability"] = table["probability"].to_numpy()
    others = [name for name in table.column_names if name not in (*COLUMNS, *SAID)]
    return Predictions(
        **columns, operating=operating, columns={name: np.array(table[name].to_pylist(), str) for name in others}
    ).in_order()


def _free(name: str) -> str:
    """A column's name, or another where it is one of the predictions' own."""
    return f"{name}_" if name in (*COLUMNS, *SAID) else name


def _joined(images: Sequence[Images], name: str) -> np.ndarray:
    empty = {len(d): np.full(len(d), "") for d in images}
    return np.concatenate([d.columns.get(name, empty[len(d)]) for d in images]).astype(str)
