"""Which files of a folder are images: by suffix, else by their first bytes; and what the rest of them is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_PICTURES = (".jpeg", ".jpg", ".jfif", ".jpe", ".jp2", ".png", ".bmp", ".pgm", ".tif", ".tiff", ".gif", ".webp")
SUFFIXES = frozenset((*_PICTURES, ".dcm", ".dicom", ".ima"))
HEAD = 132  # bytes that tell what a file is: DICOM's mark ends there
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"P5", b"II*\0", b"MM\0*", b"GIF8", b"\0\0\0\x0cjP  ")
LEFTOVERS = frozenset(("thumbs.db", "desktop.ini", "ehthumbs.db"))  # of Windows; others' names begin with a dot
FOLDERS = frozenset(("__macosx", "$recycle.bin", "@eadir"))  # of a Mac, of Windows, of a network drive


def images(folder: Path) -> Iterator[str]:
    """The images in a folder and in those below it, sorted, as paths inside it with forward slashes."""
    return (name for name in files(folder) if is_image(folder / name))


def files(folder: Path) -> Iterator[str]:
    """All files in a folder and below it that people put there, sorted, as paths inside it with forward slashes.

    What systems and programs leave beside them (hidden files and folders, `Thumbs.db`, `__MACOSX`) is none of them.
    """
    for parent, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        folders[:] = sorted(name for name in folders if not is_leftover(name))
        inside = os.path.relpath(parent, folder).replace(os.sep, "/")
        for name in sorted(names):
            if not is_leftover(name):
                yield name if inside == "." else f"{inside}/{name}"


def is_leftover(name: str) -> bool:
    """Whether a file's or a folder's name is one that no person gave it."""
    return name.startswith(".") or name.lower() in LEFTOVERS | FOLDERS


def is_image(path: Path) -> bool:
    """Whether a file is an image as far as its suffix, or where that says nothing its first bytes, tell."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return has_signature(file.read(HEAD))
    except OSError:
        return False


def has_signature(head: bytes) -> bool:
    """Whether a file that begins with these bytes (132 of them) is an image of a kind that is read."""
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return head.startswith(SIGNATURES) or is_webp or head[128:132] == b"DICM"


def summary(count: int, what: str, first: str | PurePosixPath) -> str:
    """One line for a kind of files that are not read: how many, what they are, and the first of them."""
    return f"{count:,} file{'s' * (count != 1)} not read ({what}), such as {first}"


def _raise(error: OSError) -> None:
    raise error
