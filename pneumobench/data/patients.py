"""Whose image it is: patient keys from file names, united with groups of byte-identical files."""

from __future__ import annotations

import re

import numpy as np

# The type and the prefix belong to the key: bare numbers recur across train and test for different children.
_PERSON = re.compile(r"^person(\d+)_(bacteria|virus)_", re.IGNORECASE)
_NORMAL = re.compile(r"^(NORMAL2-)?IM-(\d{4})-", re.IGNORECASE)

SUBTYPES = {"bacteria": "bacterial", "virus": "viral"}


def patient_key(filename: str) -> str | None:
    """The patient of a file of the "Chest X-Ray Images (Pneumonia)" release, or None where no rule matches."""
    if match := _PERSON.match(filename):
        return f"person{int(match[1])}_{match[2].lower()}"
    if match := _NORMAL.match(filename):
        return f"{(match[1] or '').upper()}IM-{match[2]}"
    return None


def subtype(filename: str, label: int) -> str:
    """ "normal", "bacterial", "viral", or "unknown" for a pneumonia whose name does not tell."""
    if label == 0:
        return "normal"
    match = _PERSON.match(filename)
    return SUBTYPES[match[2].lower()] if match else "unknown"


def identify(filenames: list[str], hashes: np.ndarray) -> tuple[np.ndarray, int]:
    """One patient key an image, shape (n,), and how many names no rule matched.

    Two keys that share a byte-identical file are one patient, under the key that sorts first; an image
    without a key is its own patient.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    found = [patient_key(name) for name in filenames]
    # str(): a numpy string in a set would be as good, but slower to hash for 100,000 images
    keys = [key or f"image-{str(digest)[:16]}" for key, digest in zip(found, hashes, strict=True)]
    names, key_index = np.unique(keys, return_inverse=True)
    contents, content_index = np.unique(hashes, return_inverse=True)
    n = len(names) + len(contents)
    links = coo_matrix((np.ones(len(keys), bool), (key_index, len(names) + content_index)), shape=(n, n))
    component = connected_components(links, directed=False)[1][: len(names)]
    first: dict[int, str] = {}
    for name, group in zip(names, component, strict=True):  # names are sorted: the first of a group wins
        first.setdefault(group, name)
    united = np.array([first[group] for group in component])
    return united[key_index], sum(key is None for key in found)
