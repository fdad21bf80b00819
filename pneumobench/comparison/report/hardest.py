"""The images that most plugins get wrong, and pictures of them where the images are available."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pneumobench.comparison.comparison import Comparison
from pneumobench.data import decode, detect, locate
from pneumobench.data.lockbox import Look, unlock
from pneumobench.errors import PneumobenchError
from pneumobench.evaluation.predictions import Predictions
from pneumobench.experiment import predict
from pneumobench.tracking.store import Store
from pneumobench.training.gradcam import is_network
from pneumobench.training.overlay import explained
from pneumobench.training.predictor import Predictor
from pneumobench.utils.hashing import content_hash

SHOWN = 12
SIDE = 200  # pixels of a thumbnail's longer side
CLASSES = ("normal", "pneumonia")


@dataclass(frozen=True)
class Hard:
    """A test image, how many plugins are wrong about it at 0.5, and their mean probability; its pictures as URIs."""

    image: str
    hash: str
    label: str
    wrong: int
    predicted: float
    picture: str | None = None
    heat: str | None = None


def rank(models: Mapping[str, Sequence[Predictions]]) -> list[Hard]:
    """The images on which most plugins (each the mean of its seeds) are wrong, the most certainly wrong first."""
    predicted = np.array([np.mean([m.probability for m in own], axis=0) for own in models.values()])
    first = next(iter(models.values()))[0]
    wrong = ((predicted >= 0.5) != (first.label == 1)).sum(axis=0)
    mean = predicted.mean(axis=0)
    order = np.lexsort((-np.abs(mean - first.label), -wrong))[:SHOWN]
    return [
        Hard(str(first.image[i]), str(first.hash[i]), CLASSES[first.label[i]], int(wrong[i]), float(mean[i]))
        for i in order
        if wrong[i]
    ]


def pictured(
    hard: Sequence[Hard], comparison: Comparison, store: Store, data: str | Path | None
) -> tuple[list[Hard], str]:
    """The same with thumbnails, and with the Grad-CAM of the best plugin that is a network, whose name is returned too.

    Unchanged where the images are not available: only files are read whose contents are those that were scored, and
    not before the look at the test images is recorded in the ledger.
    """
    root = _root(data)
    files = {one.image: root / one.image for one in hard if root and _is(root / one.image, one.hash)}
    if not files:
        return list(hard), ""
    name, predictor = _explainer(comparison, store)
    run = comparison.standings[0].experiment.runs[0]
    look = Look.now(
        plugin=name or run.plugin,
        run=run.run_id,
        fingerprint=comparison.fingerprint,
        dataset=comparison.dataset,
    )
    scored = run.predictions("test")
    if scored is not None:
        unlock(store.ledger, look, scored.hash)
    shown = []
    for one in hard:
        picture, heat = _uris(files[one.image], predictor) if one.image in files else (None, None)
        shown.append(replace(one, picture=picture, heat=heat))
    return shown, name


def _root(data: str | Path | None) -> Path | None:
    """The folder of the images that a command would work on, where there is one."""
    try:
        return detect.read(locate.find(data).root).root
    except PneumobenchError:
        return None


def _explainer(comparison: Comparison, store: Store) -> tuple[str, Predictor | None]:
    """The best plugin whose model is here and is a network, and that model."""
    for one in comparison.standings if store.exists else ():
        try:
            predictor = predict.find(store, one.experiment.runs[0].run_id).served.predictor
        except PneumobenchError:  # its model is not in this store, or its plugin cannot be loaded
            continue
        if is_network(predictor):
            return one.name, predictor
    return "", None


def _is(path: Path, digest: str) -> bool:
    try:
        return content_hash(path) == digest
    except OSError:
        return False


def _uris(path: Path, predictor: Predictor | None) -> tuple[str | None, str | None]:
    """The thumbnail, and the same with the network's heat over it."""
    try:
        plain = decode.uri(decode.thumbnail(path, SIDE))
        return plain, decode.uri(explained(predictor, path, SIDE)) if predictor else None
    except (ValueError, OSError, PneumobenchError):
        return None, None
