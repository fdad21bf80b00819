"""Whether a picture could be a chest X-ray at all, and one like those that a model was trained on, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pneumobench.data.decode import opened, read, reading
from pneumobench.data.pixels import Rows

SIDE = 64  # pixels that are looked at, a side
COLOURFUL = 12.0  # mean distance between channels, of 255: JPEG leaves a grey picture below 2
FLAT = 8.0  # standard deviation of grey values, of 255
CUT, BORDER = 0.08, 8  # share of the rows; grey values of a border that is meant
FIGURES = {"mean grey": "mean", "contrast": "std"}  # of 255, and how NumPy calls them
MOST = 2_000  # training images that are looked at
LEAST, NARROWEST = 64, 0.4  # pixels a side; the shorter side's share of the longer


def oddities(path: Path) -> list[str]:
    """What makes a readable picture unlike an X-ray, in a few words each; empty where nothing does."""
    with reading(), opened(path) as image:
        width, height = image.size
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        is_colour = image.mode not in ("1", "L", "LA", "I", "F") and not image.mode.startswith("I;")
        is_jpeg, frames = image.format in ("JPEG", "MPO"), image.info["frames"]
        small = np.asarray(image.convert("RGB").resize((SIDE, SIDE)) if is_colour else 0, np.float32)
    grey = np.asarray(read(path, (2 * SIDE, 2 * SIDE)).grey)
    reasons = []
    if is_colour and (np.abs(small - small.mean(axis=2, keepdims=True)).mean() > COLOURFUL):
        reasons.append("it is in colour")
    if float(grey.std()) < FLAT:
        reasons.append("it is almost one grey")
    elif is_jpeg and (share := _cut(grey)) >= CUT:
        reasons.append(f"its lower {share:.0%} are one grey, as where a file was cut off")
    if frames > 1:
        reasons.append(f"it holds {frames} pages or frames, of which one is read")
    if min(width, height) < LEAST:
        reasons.append(f"it is {width} x {height} pixels small")
    if min(width, height) / max(width, height) < NARROWEST:
        reasons.append(f"its shape is {width} x {height}")
    return reasons


def _cut(grey: np.ndarray) -> float:
    """The share of rows at the bottom that are one grey, neither black nor white, as a JPEG's missing end is."""
    last = int(grey[-1, 0])
    differs = np.flatnonzero((grey != last).any(axis=1))
    rows = len(grey) - 1 - (int(differs[-1]) if len(differs) else -1)
    return rows / len(grey) if BORDER < last < 255 - BORDER else 0.0


def greys(pixels: Rows) -> dict[str, list[float]]:
    """The least and the greatest mean and standard deviation (contrast) of images (n, height, width) uint8.

    At most 2,000 of them are looked at; "images" is how many.
    """
    rows = np.unique(np.linspace(0, len(pixels) - 1, min(len(pixels), MOST)).astype(int))
    parts = [pixels[rows[i : i + 100]] for i in range(0, len(rows), 100)]
    figures = {
        name: np.concatenate([getattr(np, of)(part, axis=(1, 2)) for part in parts]) for name, of in FIGURES.items()
    }
    limits = {name: [round(float(v.min()), 1), round(float(v.max()), 1)] for name, v in figures.items()}
    return limits | {"images": [len(rows)]}


def unlike(grey: np.ndarray, known: Mapping[str, Sequence[float]]) -> list[str]:
    """What of an image (height, width) is outside the `greys` of the training images by a tenth of their range."""
    reasons = []
    for name, of in FIGURES.items():
        value, (low, high) = float(getattr(np, of)(grey)), known[name]
        if not low - (high - low) / 10 <= value <= high + (high - low) / 10:
            reasons.append(
                f"its {name} is {value:.0f}, that of {known['images'][0]:,.0f} training images {low:.0f} to {high:.0f}"
            )
    return reasons
