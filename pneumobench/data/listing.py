"""Which files of a folder are images: by suffix, else by their first bytes; and what the rest of them is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pneumobench.data import dicom

PICTURES = (".jpeg", ".jpg", ".jfif", ".jpe", ".jp2", ".png", ".bmp", ".pgm", ".tif", ".tiff", ".gif", ".webp")
SUFFIXES = frozenset((*PICTURES, ".dcm", ".dicom", ".ima"))
HEAD = 132  # bytes that tell what a file is: DICOM's mark ends there
SIGNATURES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"BM",
    b"P5",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"GIF8",
    b"\0\0\0\x0cjP  ",
)
# of Windows, of a Mac, of a DICOM disc, which lists there what it holds; others' names begin with a dot
LEFTOVERS = frozenset(("thumbs.db", "desktop.ini", "ehthumbs.db", "picasa.ini", "icon\r", "dicomdir"))
FOLDERS = frozenset(
    ("__macosx", "$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle", "__pycache__")
)
MARK_OF_THE_WEB = (
    "zone.identifier"  # what Windows notes of a download, a file of its own where another system copied it
)


def images(folder: Path) -> Iterator[str]:
    """The images in a folder and in those below it, sorted, as paths inside it with forward slashes."""
    return (name for name in files(folder) if is_image(folder / name))


def files(folder: Path) -> Iterator[str]:
    """All files in a folder and below it that people put there, sorted, as paths inside it with forward slashes.

    What systems and programs leave beside them (hidden files and folders, `Thumbs.db`, `__MACOSX`) is none of them.
    A link to a folder that it lies in is not followed.
    """
    above: dict[str, set[tuple[int, int]]] = {}  # a folder -> it, and what it lies in
    for parent, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        own = above.setdefault(parent, {_identity(parent)})
        folders[:] = sorted(name for name in folders if not is_leftover(name) and not _leads_back(parent, name, own))
        above |= {(below := os.path.join(parent, name)): own | {_identity(below)} for name in folders}
        del above[parent]
        inside = os.path.relpath(parent, folder).replace(os.sep, "/")
        for name in sorted(names):
            if not is_leftover(name):
                yield name if inside == "." else f"{inside}/{name}"


def is_leftover(name: str) -> bool:
    """Whether a file's or a folder's name is one that no person gave it."""
    lower = name.lower()
    return name.startswith((".", "~$")) or lower in LEFTOVERS | FOLDERS or lower.endswith(MARK_OF_THE_WEB)


def is_image(path: Path) -> bool:
    """Whether a file is an image as far as its suffix, or where that says nothing its first bytes, tell."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False  # a device or a pipe, which would never end
    except OSError:
        return path.suffix.lower() in SUFFIXES  # a link to what is gone: said to be unreadable
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
    return head.startswith(SIGNATURES) or is_webp or dicom.has_signature(head)


def summary(count: int, what: str, first: str | PurePosixPath) -> str:
    """One line for a kind of files that are not read: how many, what they are, and the first of them."""
    return f"{count:,} file{'s' * (count != 1)} not read ({what}), such as {first}"


def _identity(folder: str) -> tuple[int, int]:
    state = os.stat(folder)
    return state.st_dev, state.st_ino


def _leads_back(parent: str, name: str, above: set[tuple[int, int]]) -> bool:
    """Whether a folder is a link to one that it lies in."""
    path = os.path.join(parent, name)
    return os.path.islink(path) and _identity(path) in above


def _raise(error: OSError) -> None:
    raise error
