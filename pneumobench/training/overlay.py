"""Pictures of where a network looked: its heat over the X-ray, as files and in reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pneumobench.data import decode
from pneumobench.errors import UsageError
from pneumobench.training.gradcam import gradcam
from pneumobench.training.predictor import Predictor

SIDE = 768  # pixels of a picture's longer side
COLOURS = "inferno"  # of matplotlib: dark to bright in print too, and legible without red and green
STRENGTH = 0.6  # of the colour where the heat is 1


def explained(predictor: Predictor, path: Path, side: int = SIDE) -> Image.Image:
    """The X-ray with its Grad-CAM heat, RGB, its longer side at most so many pixels.

    Raises: UsageError for a model without one; ValueError or OSError for a file that cannot be read.
    """
    view = predictor.view
    heat = gradcam(predictor, decode.as_batch(decode.decode(path, view)[None], view))[0]
    return overlay(decode.thumbnail(path, side), heat)


def overlay(grey: Image.Image, heat: np.ndarray) -> Image.Image:
    """A grey picture with heat (height, width), 0 to 1, of any size laid over it, RGB."""
    import matplotlib

    large = np.asarray(Image.fromarray(heat.astype(np.float32)).resize(grey.size, decode.RESAMPLING))
    colours = matplotlib.colormaps[COLOURS](large)[..., :3] * 255
    share = STRENGTH * large[..., None]
    mixed = (1 - share) * np.asarray(grey, np.float32)[..., None] + share * colours
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def write(predictor: Predictor, paths: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Write `NAME.gradcam.png` of each file into a folder, numbered where names repeat; where each one is.

    Files that cannot be read are passed over. Raises: UsageError for a model without heat, or where the folder
    cannot be written.
    """
    written: dict[Path, Path] = {}
    for path in paths:
        try:
            picture = explained(predictor, path)
        except (ValueError, OSError):
            continue
        taken = sum(other.stem == path.stem for other in written)
        target = folder / f"{path.stem}{f'-{taken + 1}' if taken else ''}.gradcam.png"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            picture.save(target)
        except OSError as error:
            raise UsageError(f"cannot write {target}: {error.strerror or error}") from error
        written[path] = target
    return written
