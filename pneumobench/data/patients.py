"""Whose image it is: patient keys, united with groups of byte-identical files."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np


def identify(keys: Sequence[str | None], hashes: np.ndarray) -> tuple[np.ndarray, int]:
    """The patient of each image, shape (n,), from its own key or None, and how many images have none.

    Two keys that share a byte-identical file are one patient, under the key that sorts first; an image
    without a key is its own patient.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    # str(): a NumPy string gives the same key, but more slowly for 100,000 images
    given = [key or f"image-{str(digest)[:16]}" for key, digest in zip(keys, hashes, strict=True)]
    names, key_index = np.unique(given, return_inverse=True)
    contents, content_index = np.unique(hashes, return_inverse=True)
    n = len(names) + len(contents)
    links = coo_matrix((np.ones(len(given), bool), (key_index, len(names) + content_index)), shape=(n, n))
    component = connected_components(links, directed=False)[1][: len(names)]
    first: dict[int, str] = {}
    for name, group in zip(names, component, strict=True):  # names are sorted: the first of a group wins
        first.setdefault(group, name)
    united = np.array([first[group] for group in component])
    return united[key_index], sum(key is None for key in keys)


def key(known: str | None, path: str, pattern: str | None, site: str = "") -> str | None:
    """An image's patient: what the manifest or the layout knows, else what a pattern finds in the path, else None.

    A site's patients are its own: its name is a part of the key.
    """
    if not known and pattern and (match := re.search(pattern, path)):
        known = match[1] if match.re.groups else match[0]
    return f"{site}:{known}" if known and site else known
