"""MedMNIST's `.npz` files (PneumoniaMNIST and others) as a folder like any other, unpacked once into the cache.

pneumobench data fetch medmnist --size 224
pneumobench run baseline --data data/pneumoniamnist_224.npz
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pneumobench.data.dataset import CLASSES, ORIGINS
from pneumobench.data.disk_cache import hold, stored
from pneumobench.data.layout import Layout, Listing, Reading
from pneumobench.data.layouts import kermany
from pneumobench.errors import DataError
from pneumobench.utils.hashing import content_hash, digest_of

SUFFIX = ".npz"
DONE = "unpacked.json"
VERSION = 1  # part of the folder's name: raise it when the files change


def unpacked(path: Path) -> Path:
    """The folder of an archive's images in Kaggle's layout, named like the archive.

    The files are PGM, whose bytes depend only on the pixels, so that the fingerprint is the same wherever and with
    whatever library they are written. Their names carry no patient.
    Raises: DataError if the archive is not one of MedMNIST's, or its task is not normal against pneumonia.
    """
    try:
        digest = content_hash(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error

    def load(folder: Path) -> Path:
        json.loads((folder / DONE).read_text())
        return folder / path.stem

    name = f"{digest}-{digest_of([path.stem], 4)}-v{VERSION}"  # the folder inside is named like the archive
    return hold(stored("unpacked", name, lambda folder: _unpack(path, folder), load))


def _read(path: Path, reading: Reading) -> Listing:
    return kermany.read(unpacked(path.expanduser()), reading)


def _unpack(path: Path, folder: Path) -> None:
    counts = {}
    for origin in ORIGINS:
        images, labels = _part(path, origin)
        targets = [folder / path.stem / origin / name for name in CLASSES]
        for target in targets:
            target.mkdir(parents=True)
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            height, width = image.shape
            pixels = b"P5 %d %d 255\n" % (width, height) + np.ascontiguousarray(image).tobytes()
            (targets[label] / f"{number:06d}.pgm").write_bytes(pixels)
        counts[origin] = len(labels)
    (folder / DONE).write_text(json.dumps(counts))


def _part(path: Path, origin: str) -> tuple[np.ndarray, np.ndarray]:
    """Grey images (n, height, width) uint8 and labels (n,) of "train", "val" or "test"."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:  # numpy leaves a torn one open
            images, labels = archive[f"{origin}_images"], archive[f"{origin}_labels"]
    except KeyError as error:
        raise DataError(
            f"{path} is not a MedMNIST archive: it lacks {error.args[0].split()[0]}; it must hold train, val and test "
            "images and labels"
        ) from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not an .npz archive: {' '.join(str(error).split())[:120]}") from None
    except Exception as error:  # zipfile's and zlib's
        raise DataError(f"{path} is damaged: {' '.join(str(error).split())[:120]}") from None
    labels = labels.reshape(len(labels), -1)
    if images.dtype != np.uint8 or images.ndim != 3 or len(images) != len(labels):
        raise DataError(
            f"{path} holds {origin} images {images.shape} {images.dtype}; grey ones, (n, h, w) uint8, are read"
        )
    if labels.shape[1] != 1 or not np.isin(labels, (0, 1)).all():
        raise DataError(f"{path} has other classes than 0, normal, and 1, pneumonia; PneumoniaMNIST has those")
    return images, labels[:, 0].astype(int)


layout = Layout(
    is_own=lambda path: path.suffix == SUFFIX and path.expanduser().is_file(),
    read=_read,
    citation="Yang et al., MedMNIST v2: A large-scale lightweight benchmark for 2D and 3D biomedical image "
    "classification, Scientific Data 10, 2023",
    licence="CC BY 4.0",
    fetch="pneumobench data fetch medmnist",
    priority=1,
)
