"""A saved model's probabilities in a new Python process, which loads it as `predict` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from pneumobench.errors import TrackingError, one_line

IMAGES, PROBABILITIES = "images.npy", "probabilities.npy"
SECONDS = 300


def probabilities(folder: Path, images: np.ndarray) -> np.ndarray:
    """Probabilities (n,) for images (n, height, width, channels) of the model saved in a folder, which is written to.

    Raises: TrackingError with what the other process said, where it cannot load the model.
    """
    np.save(folder / IMAGES, images)
    command = [sys.executable, "-m", "pneumobench.contract.fresh", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise TrackingError(f"another process had not loaded the saved model after {SECONDS} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise TrackingError(f"another process cannot load the saved model: {said[-1]}")
    return np.load(folder / PROBABILITIES)


def main(folder: Path) -> None:
    """Load the model in a folder, and write its probabilities for the images there."""
    from pneumobench.training.pyfunc import Served

    np.save(folder / PROBABILITIES, Served(folder).predict(np.load(folder / IMAGES)))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Exception as error:
        print(one_line(error), file=sys.stderr)
        sys.exit(1)
