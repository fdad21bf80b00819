"""Several datasets as one: a column says whose each image is, and no patient of one is taken for another's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.data.dataset import ARRAYS, Dataset, ordered
from pneumobench.data.patients import identify
from pneumobench.errors import DataError

SITE = "site"


def united(datasets: Sequence[Dataset]) -> Dataset:
    """The images of all datasets, with a column `site`: the dataset's name, and its own site where it has several.

    Patients are apart, unless two datasets hold the same file. Every image keeps the side that it has in its dataset.
    Raises: DataError where one of them is the phantom, which is never mixed with real images.
    """
    if len(datasets) == 1:
        return datasets[0]
    if any(dataset.is_phantom for dataset in datasets):
        raise DataError("the phantom is never mixed with other images; name it alone")
    names = _names(datasets)
    root = Path(os.path.commonpath([dataset.root.resolve() for dataset in datasets]))
    arrays: dict[str, Any] = {name: np.concatenate([getattr(dataset, name) for dataset in datasets]) for name in ARRAYS}
    arrays["paths"] = np.concatenate([_paths(dataset, root) for dataset in datasets])
    keys = [f"{name}:{key}" for name, d in zip(names, datasets, strict=True) for key in d.patients.tolist()]
    arrays["patients"], _ = identify(keys, arrays["hashes"])
    arrays["keys"] = np.concatenate([_keys(name, dataset) for name, dataset in zip(names, datasets, strict=True)])
    columns = {
        column: np.concatenate([d.columns.get(column, np.full(len(d), "")) for d in datasets])
        for column in dict.fromkeys(column for d in datasets for column in d.columns)
    }
    columns[SITE] = np.concatenate([_sites(name, d) for name, d in zip(names, datasets, strict=True)])
    return ordered(
        replace(
            datasets[0],
            **arrays,
            root=root,
            name="+".join(names),
            unmatched=sum(dataset.unmatched for dataset in datasets),
            unreadable=_told(names, [dataset.unreadable for dataset in datasets]),
            not_read=_told(names, [dataset.not_read for dataset in datasets]),
            notes=_told(names, [dataset.notes for dataset in datasets]),
            columns=columns,
            layouts=tuple(dict.fromkeys(layout for dataset in datasets for layout in dataset.layouts)),
        )
    )


def _names(datasets: Sequence[Dataset]) -> list[str]:
    """A name for each dataset; a second one of the same name has its number."""
    names: list[str] = []
    for dataset in datasets:
        count = sum(name == dataset.name or name.startswith(f"{dataset.name}-") for name in names)
        names.append(f"{dataset.name}-{count + 1}" if dataset.name in names else dataset.name)
    return names


def _paths(dataset: Dataset, root: Path) -> np.ndarray:
    inside = os.path.relpath(dataset.root.resolve(), root).replace(os.sep, "/")
    return np.array([path if inside == "." or path[:1] == "/" else f"{inside}/{path}" for path in dataset.paths], str)


def _sites(name: str, dataset: Dataset) -> np.ndarray:
    own = dataset.columns.get(SITE, np.full(len(dataset), ""))
    return np.array([f"{name}/{site}" if site else name for site in own.tolist()])


def _keys(name: str, dataset: Dataset) -> np.ndarray:
    return np.array([f"{name}:{key}" if key else "" for key in dataset.keys.tolist()], str)


def _told(names: Sequence[str], lines: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(f"{name}: {line}" for name, own in zip(names, lines, strict=True) for line in own)
