"""Images that are almost the same: found by parts of a perceptual hash, confirmed by their pixels."""

from __future__ import annotations

import numpy as np

from pneumobench.data.audit.image_stats import Traits
from pneumobench.data.dataset import Dataset
from pneumobench.data.findings import EXAMPLES, Finding

BANDS = 8  # of 32 bits each: two hashes of 256 bits that differ in fewer than 8 agree in one band at least
APART = 24  # bits; a pair that agrees in a band by chance differs in more
ALIKE = 0.99  # correlation of the thumbnails' grey values
CROWD = 50  # images that agree in a band are compared with so many neighbours each, so that time stays linear
BATCH = 4096


def near(dataset: Dataset, traits: Traits) -> list[Finding]:
    """Findings about pairs that are almost the same and not the same file."""
    pairs = pairs_of(traits.hashes, traits.faults == "", dataset.hashes)
    pairs = pairs[correlation(traits, pairs) >= ALIKE]
    if not len(pairs):
        return []
    first, second = pairs.T
    is_test = dataset.origins == "test"
    crossing = is_test[first] != is_test[second]
    conflicting = dataset.labels[first] != dataset.labels[second]
    strangers = dataset.patients[first] != dataset.patients[second]
    findings = [
        _finding("near leak", dataset, pairs[crossing], "of almost the same image in training and test"),
        _finding("label conflict", dataset, pairs[conflicting], "of almost the same image under both classes"),
        _finding(
            "near duplicates",
            dataset,
            pairs[~crossing],
            f"of almost the same image, {int((strangers & ~crossing).sum())} of them under two patients' names",
        ),
    ]
    return [one for one in findings if one is not None]


def pairs_of(hashes: np.ndarray, usable: np.ndarray, contents: np.ndarray) -> np.ndarray:
    """Pairs of rows (m, 2) whose hashes (n, 32) uint8 agree in a band and differ in few bits, in order.

    Every pair with fewer than 8 differing bits is among them, unless more than CROWD images agree in its bands.
    """
    bits = np.unpackbits(hashes, axis=1)
    # neighbouring bits are correlated; shuffled, the bands are more independent
    bits = np.ascontiguousarray(bits[:, np.random.default_rng(0).permutation(bits.shape[1])])
    bands = np.ascontiguousarray(np.packbits(bits, axis=1)).view(">u4")
    pairs = [np.empty((0, 2), int)]
    for band in bands.T:
        order = np.argsort(band, kind="stable")
        for step in range(1, CROWD + 1):
            same = band[order[step:]] == band[order[:-step]]
            if not same.any():
                break
            first, second = order[:-step][same], order[step:][same]
            apart = np.bitwise_count(hashes[first] ^ hashes[second]).sum(axis=1)
            close = (apart <= APART) & usable[first] & usable[second] & (contents[first] != contents[second])
            pairs.append(np.stack([first[close], second[close]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def correlation(traits: Traits, pairs: np.ndarray) -> np.ndarray:
    """Of the thumbnails' grey values, (m,), -1 to 1, for pairs of rows (m, 2)."""
    correlations = np.empty(len(pairs))
    for start in range(0, len(pairs), BATCH):
        first, second = pairs[start : start + BATCH].T
        correlations[start : start + BATCH] = _correlated(traits.thumbs[first], traits.thumbs[second])
    return correlations


def between(dataset: Dataset, traits: Traits, other: Dataset, others: Traits) -> np.ndarray:
    """Pairs (m, 2), a row of each dataset, of images that are almost the same."""
    count = len(dataset)
    usable = np.concatenate([traits.faults, others.faults]) == ""
    contents = np.concatenate([dataset.hashes, other.hashes])
    pairs = pairs_of(np.concatenate([traits.hashes, others.hashes]), usable, contents)
    pairs = pairs[(pairs[:, 0] < count) & (pairs[:, 1] >= count)] - [0, count]
    alike = [
        _correlated(traits.thumbs[first], others.thumbs[second]) >= ALIKE
        for first, second in (pairs[start : start + BATCH].T for start in range(0, len(pairs), BATCH))
    ]
    return pairs[np.concatenate(alike)] if alike else pairs


def _correlated(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The correlations (m,) of the grey values of thumbnails (m, height, width)."""
    one, other = (grey.reshape(len(grey), -1).astype(np.float32) for grey in (first, second))
    one, other = (grey - grey.mean(axis=1, keepdims=True) for grey in (one, other))
    norm = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return (one * other).sum(axis=1) / np.where(norm > 0, norm, 1)


def _finding(kind: str, dataset: Dataset, pairs: np.ndarray, what: str) -> Finding | None:
    if not len(pairs):
        return None
    named = [tuple(str(dataset.paths[row]) for row in pair) for pair in pairs[:EXAMPLES]]
    count = len(pairs)
    text = f"{count:,} pair{'s' if count > 1 else ''} {what}, such as {' and '.join(named[0])}"
    return Finding(kind, text, tuple(named), {"pairs": count}, weight=float(count))
