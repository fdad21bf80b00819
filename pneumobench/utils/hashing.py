"""BLAKE2b of lines, texts and files, in hexadecimal digits, of which every byte makes two."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def text_hash(text: str | bytes, size: int) -> str:
    """BLAKE2b of `size` bytes over a text in UTF-8, or over bytes as they are."""
    return hashlib.blake2b(text.encode() if isinstance(text, str) else text, digest_size=size).hexdigest()


def digest_of(lines: Iterable[str], size: int) -> str:
    """BLAKE2b of `size` bytes over lines, whatever their order."""
    return text_hash("\n".join(sorted(lines)), size)


def content_hash(path: Path, size: int = 16) -> str:
    """BLAKE2b of `size` bytes over a file's bytes. Raises: OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=size)).hexdigest()
