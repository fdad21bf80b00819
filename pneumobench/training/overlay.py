"""Grad-CAM heatmaps overlaid on the X-ray, as files and in reports."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from pneumobench.data import decode
from pneumobench.errors import UsageError
from pneumobench.training.gradcam import gradcam
from pneumobench.training.predictor import Predictor
from pneumobench.utils.names import file_name

SIDE = 768  # pixels of a picture's longer side
COLOURS = "inferno"  # a matplotlib colormap: monotonic in brightness and safe for red-green colour blindness
STRENGTH = 0.6  # opacity where the heatmap is 1


def explained(predictor: Predictor, path: Path, side: int = SIDE) -> Image.Image:
    """The X-ray with its Grad-CAM heatmap, RGB, its longer side at most `side` pixels.

    Raises: UsageError for a model without Grad-CAM; ValueError or OSError for a file that cannot be read.
    """
    view = predictor.view
    heat = gradcam(predictor, decode.as_batch(decode.decode(path, view)[None], view))[0]
    return overlay(decode.thumbnail(path, side), heat)


def overlay(grey: Image.Image, heat: np.ndarray) -> Image.Image:
    """A greyscale image with a heatmap (height, width), 0 to 1, of any size overlaid, RGB."""
    import matplotlib

    large = np.asarray(Image.fromarray(heat.astype(np.float32)).resize(grey.size, decode.RESAMPLING))
    colours = matplotlib.colormaps[COLOURS](large)[..., :3] * 255
    opacity = STRENGTH * large[..., None]
    mixed = (1 - opacity) * np.asarray(grey, np.float32)[..., None] + opacity * colours
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def write(predictor: Predictor, paths: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Write `NAME.gradcam.png` for each file into a folder, numbered if names repeat; returns file -> image written.

    Files that cannot be read are skipped. Raises: UsageError for a model without Grad-CAM, or if the folder
    cannot be written.
    """
    written: dict[Path, Path] = {}
    for path in paths:
        try:
            picture = explained(predictor, path)
        except (ValueError, OSError):
            continue
        name = file_name(path.stem)
        numbered = (folder / f"{name}{f'-{number}' if number > 1 else ''}.gradcam.png" for number in count(1))
        target = next(target for target in numbered if target not in written.values())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            picture.save(target)
        except OSError as error:
            raise UsageError(f"cannot write {target}: {error.strerror or error}") from error
        written[path] = target
    return written
