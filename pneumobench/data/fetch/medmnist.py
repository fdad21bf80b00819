"""PneumoniaMNIST+ (Yang et al., Scientific Data 10, 2023): 4,708 + 524 + 624 images at four sizes, CC BY 4.0."""

from __future__ import annotations

from pathlib import Path

from pneumobench.data.fetch.download import download
from pneumobench.errors import UsageError
from pneumobench.utils.progress import Progress

RECORD = "https://zenodo.org/records/10519652/files"
# side in pixels -> file and its MD5, as the record and medmnist 3.0.2 state them
FILES = {
    28: ("pneumoniamnist.npz", "28209eda62fecd6e6a2d98b1501bb15f"),
    64: ("pneumoniamnist_64.npz", "8f4eceb4ccffa70c672198ea285246c6"),
    128: ("pneumoniamnist_128.npz", "05b46931834c231683c68f40c47b2971"),
    224: ("pneumoniamnist_224.npz", "d6a3c71de1b945ea11211b03746c1fe1"),
}


def fetch(size: int, to: Path, progress: Progress) -> Path:
    """Fetch the archive of one size into a folder; its path. Raises: UsageError for another size; as `download`."""
    if size not in FILES:
        raise UsageError(f"--size is one of {', '.join(map(str, FILES))}, not {size}")
    name, md5 = FILES[size]
    progress.stage(f"fetching {name}")
    return download(f"{RECORD}/{name}?download=1", to / name, f"md5:{md5}", progress)
