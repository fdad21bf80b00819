"""Images made worse in known ways, and controls that hide the lungs: what a model says of them shows what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pneumobench.training.augmentation import Augmentation, load_albumentations, seeds_for

VERSION = 1  # raise it when an alteration changes
SIDE = 256  # pixels a side at which images are altered, whatever a model's view: strengths in pixels are of these
SEVERITIES = (1, 2, 3)
WIDTHS = (0.04, 0.08, 0.12)  # of a collimation border, as shares of the side
CENTRE, RIM = 0.1, 0.06  # the rim that hiding the centre leaves, and the one that "border alone" keeps, likewise


def blur(sigma: tuple[float, float]) -> Any:
    """Gaussian blur, with a standard deviation in pixels drawn between the two."""
    return load_albumentations().GaussianBlur(blur_limit=0, sigma_limit=sigma, p=1)


def jpeg(quality: tuple[int, int]) -> Any:
    """JPEG compression, with a quality drawn between the two."""
    return load_albumentations().ImageCompression(quality_range=quality, p=1)


def noise(std: tuple[float, float]) -> Any:
    """Gaussian noise, with a standard deviation (as a fraction of 255) drawn between the two."""
    return load_albumentations().GaussNoise(std_range=std, p=1)


def _light(brightness: float = 0.0, contrast: float = 0.0) -> Any:
    """Brightness added (as a fraction of 255), contrast changed by a share."""
    A = load_albumentations()
    return A.RandomBrightnessContrast((brightness, brightness), (contrast, contrast), p=1)


def _speckle(spread: float) -> Any:
    return load_albumentations().MultiplicativeNoise((1 - spread, 1 + spread), elementwise=True, p=1)


def _downscaled(scale: float) -> Any:
    import cv2

    how = {"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR}
    return load_albumentations().Downscale(scale_range=(scale, scale), interpolation_pair=how, p=1)


def _moved(angle: float, share: float) -> Any:
    A = load_albumentations()
    return A.Affine(rotate=(-angle, angle), translate_percent=(-share, share), p=1)


def _own(alter: Callable[..., np.ndarray], **how: Any) -> Any:
    return load_albumentations().Lambda(image=partial(alter, **how), name="own", p=1)


def _collimated(width: float) -> Any:
    return _own(_rim, width=width, keep=False)


def _marked(size: int) -> Any:
    return _own(_with_marker, size=size)


def _rim(image: np.ndarray, width: float, *, keep: bool, **_: Any) -> np.ndarray:
    """The image (height, width) with its rim, of a share of the side, alone (`keep`) or black."""
    inner = np.zeros(image.shape, bool)
    y, x = (max(1, round(width * side)) for side in image.shape)
    inner[y:-y, x:-x] = True
    return np.where(inner == keep, np.uint8(0), image)


def _with_marker(image: np.ndarray, size: int, **_: Any) -> np.ndarray:
    """The image with a white "R" such as technologists place, `size` pixels high, in its upper left corner."""
    marked = Image.fromarray(image)
    ImageDraw.Draw(marked).text((size // 2, size // 3), "R", fill=255, font=ImageFont.load_default(size))
    return np.asarray(marked)


# by kind, the transform of each severity; lengths are in pixels of SIDE
CORRUPTIONS: Mapping[str, Callable[[int], Any]] = {
    "defocus": lambda s: load_albumentations().Defocus(((2, 2), (3, 3), (5, 5))[s], (0.1, 0.1), p=1),
    "motion": lambda s: load_albumentations().MotionBlur(((7, 7), (13, 13), (21, 21))[s], p=1),
    "gaussian noise": lambda s: noise(((0.04, 0.04), (0.08, 0.08), (0.16, 0.16))[s]),
    "speckle noise": lambda s: _speckle((0.2, 0.4, 0.7)[s]),
    "jpeg": lambda s: jpeg(((40, 40), (20, 20), (8, 8))[s]),
    "down-scaling": lambda s: _downscaled((0.5, 0.3, 0.15)[s]),
    "brighter": lambda s: _light(brightness=(0.1, 0.2, 0.35)[s]),
    "darker": lambda s: _light(brightness=(-0.1, -0.2, -0.35)[s]),
    "more contrast": lambda s: _light(contrast=(0.25, 0.5, 1.0)[s]),
    "less contrast": lambda s: _light(contrast=(-0.25, -0.45, -0.65)[s]),
    "gamma": lambda s: load_albumentations().RandomGamma(((70, 70), (50, 50), (200, 200))[s], p=1),
    "collimation": lambda s: _collimated(WIDTHS[s]),
    "text marker": lambda s: _marked((18, 32, 48)[s]),
    "rotation, shift": lambda s: _moved((4.0, 8.0, 15.0)[s], (0.02, 0.05, 0.08)[s]),
}


def _shuffled(image: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(image.ravel()).reshape(image.shape)


def _low_pass(image: np.ndarray) -> np.ndarray:
    small = Image.fromarray(image).resize((4, 4), Image.Resampling.BOX)
    return np.asarray(small.resize(image.shape[::-1], Image.Resampling.BILINEAR))


# images without lungs to read: functions of an image (height, width) uint8 and its seed
CONTROLS: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "centre hidden": lambda image, seed: _rim(image, CENTRE, keep=True),
    "border alone": lambda image, seed: _rim(image, RIM, keep=True),
    "histogram alone": _shuffled,
    "4 x 4 low-pass": lambda image, seed: _low_pass(image),
}


def names() -> list[tuple[str, int]]:
    """Every alteration as (kind, severity); controls have the severity 0."""
    return [(kind, severity) for kind in CORRUPTIONS for severity in SEVERITIES] + [(kind, 0) for kind in CONTROLS]


def altered(grey: np.ndarray, kind: str, severity: int, seed: int = 0) -> np.ndarray:
    """Images (n, SIDE, SIDE) uint8, each altered by its own seed, which is that of `seed`, the kind and its row."""
    number = [*CORRUPTIONS, *CONTROLS].index(kind)
    seeds = seeds_for(seed, 10 * number + severity, np.arange(len(grey)))
    if kind in CONTROLS:
        return np.stack([CONTROLS[kind](image, int(own)) for image, own in zip(grey, seeds, strict=True)])
    transform = load_albumentations().Compose([CORRUPTIONS[kind](severity - 1)])
    return Augmentation(transform)(grey, np.zeros(len(grey), int), seeds)
