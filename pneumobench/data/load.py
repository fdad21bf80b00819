"""A folder of images as a dataset: listed by its layout, hashed, each image with its patient; none is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pneumobench.data import detect, kept_split, locate, patients, tags
from pneumobench.data.dataset import CLASSES, Dataset, ordered, unreadable
from pneumobench.data.hashes import content_hashes, printable
from pneumobench.data.layout import Listing, Row
from pneumobench.data.layouts import phantom
from pneumobench.data.options import DataOptions
from pneumobench.data.sites import united
from pneumobench.errors import DataError
from pneumobench.utils.progress import Progress
from pneumobench.utils.threads import Advance


def load_folder(
    root: Path | str,
    options: DataOptions | None = None,
    *,
    skip_unreadable: bool = False,
    advance: Advance | None = None,
    elsewhere: bool = False,
) -> Dataset:
    """List and hash the images of a folder, or of a file that lists or holds them; decode none.

    `options` say how it is to be read. Where the release does not divide its images, a division is drawn and kept;
    `elsewhere` takes its test images alone or, where it has none, all images as such: for models of another site.
    Raises: DataError where the folder, a split or a class is missing or empty, or a file cannot be read.
    """
    options = options or DataOptions()
    source = Path(root).expanduser()
    layout = detect.layout_of(source, options.reading)
    listing = detect.load(layout).read(source, options.reading)
    hashed = content_hashes(listing.root, [row.path for row in listing.rows], advance)
    failed = [(row.path, why) for row, (_, why) in zip(listing.rows, hashed, strict=True) if why]
    if failed and not skip_unreadable:
        raise unreadable(listing.root / failed[0][0], failed[0][1], len(failed))
    rows = [row for row, (_, why) in zip(listing.rows, hashed, strict=True) if not why]
    rows = tags.filled(listing.root, rows)
    hashes = np.array([digest for digest, why in hashed if not why])
    columns = _columns(rows)
    sites = columns.get("site", np.array([], str))
    own_sites = sites.tolist() if len(np.unique(sites)) > 1 else [""] * len(rows)
    keys = [
        patients.key(row.patient, row.path, options.patient_pattern, site)
        for row, site in zip(rows, own_sites, strict=True)
    ]
    identified, unmatched = patients.identify(keys, hashes)
    dataset = Dataset(
        root=listing.root,
        name=_name(listing),
        paths=np.array([row.path for row in rows]),
        labels=np.array([row.label for row in rows], np.int8),
        patients=identified,
        keys=np.array([key or "" for key in keys], str),
        subtypes=np.array([_subtype(row) for row in rows]),
        origins=np.array([row.split for row in rows]),
        hashes=hashes,
        unmatched=unmatched,
        unreadable=tuple(printable(path) for path, _ in failed),
        not_read=listing.not_read,
        skip_unreadable=skip_unreadable,
        columns=columns,
        layouts=(layout,),
    )
    if elsewhere:
        return ordered(_to_test(dataset, source))
    dataset = _divided(dataset, listing, source, options.test_fraction)
    for origin in {row.split for row in listing.rows} & {"train", "test"} or ("train", "test"):
        for label, name in enumerate(CLASSES):  # one may have lost its last image to --skip-unreadable
            if not np.any((dataset.origins == origin) & (dataset.labels == label)):
                raise DataError(f"no readable image in {source / origin / name}: both classes are needed")
    return ordered(dataset)


def _to_test(dataset: Dataset, source: Path) -> Dataset:
    """The release's test images or, where it has none, all of its images as test images."""
    is_test = dataset.origins == "test"
    whole = dataset.subset(is_test) if is_test.any() else dataset
    for label, name in enumerate(CLASSES):
        if not np.any(whole.labels == label):
            raise DataError(f"{source} has no readable {name} image to test on: both classes are needed")
    return replace(whole, origins=np.full(len(whole), "test"))


@dataclass(frozen=True)
class Loaded:
    """The images of all sources as one dataset, what names the sources, and whether no other images were found."""

    dataset: Dataset
    sources: tuple[str, ...]
    is_fallback: bool


def load(options: DataOptions, progress: Progress, *, skip_unreadable: bool | None = None) -> Loaded:
    """Find and load every source that the options name. Raises: as `locate.find` and `load_folder`."""
    skip = options.skip_unreadable if skip_unreadable is None else skip_unreadable
    sources = [locate.find(name, progress.stage) for name in options.sources]
    datasets = [load_folder(source.root, options, skip_unreadable=skip, advance=progress.advance) for source in sources]
    return Loaded(united(datasets), tuple(str(source.root) for source in sources), any(s.fallback for s in sources))


def _divided(dataset: Dataset, listing: Listing, source: Path, fraction: float | None) -> Dataset:
    """The dataset with the release's division, or with the one that is kept for it."""
    undivided = [row.path for row in listing.rows if not row.split]
    if any(row.split == "test" for row in listing.rows):
        if undivided:
            raise DataError(f"{len(undivided):,} images of {source} have no split, such as {undivided[0]}; others have")
        if fraction is not None:
            raise DataError(f"--test-fraction is for images without a division; {dataset.name} has test images")
        return dataset
    divided = kept_split.divide(dataset, source, fraction)
    return replace(dataset, origins=divided.origins, notes=(*dataset.notes, divided.note))


def _columns(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    names = dict.fromkeys(name for row in rows for name in row.columns)
    return {name: np.array([row.columns.get(name, "") for row in rows], str) for name in names}


def _subtype(row: Row) -> str:
    return row.subtype or ("unknown" if row.label else "normal")


def _name(listing: Listing) -> str:
    """The dataset's name, or its folder's; "phantom" is reserved for the marked phantom."""
    if (listing.root / phantom.MARK).exists():
        return "phantom"
    name = printable(listing.name or listing.root.resolve().name)
    return "folder-phantom" if name == "phantom" else name
