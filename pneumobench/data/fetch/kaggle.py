"""The release on Kaggle, by kagglehub (extra `kaggle`): 5,216 + 16 + 624 images at full size, CC BY 4.0."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from pneumobench.data.dataset import CLASSES, ORIGINS
from pneumobench.data.fetch.place import placing
from pneumobench.data.layouts.kermany import release_folder
from pneumobench.errors import DataError
from pneumobench.utils.progress import Progress

HANDLE = "paultimothymooney/chest-xray-pneumonia"


def fetch(target: Path, progress: Progress) -> Path:
    """Fetch the release into a new folder `target`; kagglehub resumes after a break, and keeps a copy.

    Raises: DataError where the extra is missing or the download fails; UsageError if `target` exists.
    """
    try:
        import kagglehub
    except ImportError:
        raise DataError("fetching from Kaggle takes the extra: pip install 'pneumobench[kaggle]'") from None
    logging.getLogger("kagglehub").setLevel(logging.ERROR)
    with placing(target) as folder:
        progress.stage(f"fetching {HANDLE}")
        try:
            release = release_folder(Path(kagglehub.dataset_download(HANDLE)))
        except DataError:
            raise
        except Exception as error:  # kagglehub's, requests' and zipfile's own kinds
            raise DataError(f"Kaggle's {HANDLE} cannot be fetched: {' '.join(str(error).split())[:160]}") from error
        progress.stage("moving it into place")
        for origin in ORIGINS:
            for name in CLASSES:
                if (release / origin / name).is_dir():
                    shutil.copytree(release / origin / name, folder / origin / name, copy_function=_linked)
    return target


def _linked(source: str, target: str) -> None:
    """A second name for the same bytes where the disk can do it, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
