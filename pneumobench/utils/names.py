"""Names that people give (studies, plugins, images), as names of files and folders."""

from __future__ import annotations

import re

from pneumobench.utils.hashing import text_hash

LONGEST = 100  # bytes; file systems allow 255, and endings are added
# separators of any system, what shells and Windows give a meaning to, and control characters
UNFIT = re.compile(r'[/\\:*?"<>|%#\x00-\x1f\x7f]')


def file_name(name: str) -> str:
    """The name itself where any file system takes it; else what is left of it, and 8 digits of its hash.

    Two names never give the same file name by chance; none leaves its folder, is hidden, or is longer than 109 bytes.
    """
    kept = UNFIT.sub("_", name).strip(" ").lstrip(".").rstrip(".")
    kept = kept.encode(errors="replace")[:LONGEST].decode(errors="ignore")
    return kept if kept and kept == name else f"{kept or '_'}-{text_hash(name.encode(errors='surrogatepass'), 4)}"
