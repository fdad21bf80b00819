"""Whether a picture could be a chest X-ray at all, as far as that can be seen without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pneumobench.data.decode import opened

SIDE = 64  # pixels that are looked at, a side
COLOURFUL = 12.0  # mean distance between channels, of 255: JPEG leaves a grey picture below 2
FLAT = 8.0  # standard deviation of grey values, of 255
LEAST, NARROWEST = 64, 0.4  # pixels a side; the shorter side's share of the longer


def oddities(path: Path) -> list[str]:
    """What makes a readable picture unlike an X-ray, in a few words each; empty where nothing does."""
    with opened(path) as image:
        width, height = image.size
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        is_colour = image.mode not in ("1", "L", "LA", "I", "F") and not image.mode.startswith("I;")
        small = np.asarray(image.convert("RGB" if is_colour else "F").resize((SIDE, SIDE)), np.float32)
    reasons = []
    if is_colour and (np.abs(small - small.mean(axis=2, keepdims=True)).mean() > COLOURFUL):
        reasons.append("it is in colour")
    spread = float(small.std()) * (255 / max(255.0, float(small.max())))
    if spread < FLAT:
        reasons.append("it is almost one grey")
    if min(width, height) < LEAST:
        reasons.append(f"it is {width} x {height} pixels small")
    if min(width, height) / max(width, height) < NARROWEST:
        reasons.append(f"its shape is {width} x {height}")
    return reasons
