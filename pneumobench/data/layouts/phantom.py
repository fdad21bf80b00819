"""Synthetic images in place of real X-rays: seeded, written as JPEG, read like any other folder.

pneumobench run baseline --data phantom
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image
from scipy.ndimage import gaussian_filter

from pneumobench.data import disk_cache
from pneumobench.data.dataset import CLASSES
from pneumobench.data.layout import Layout
from pneumobench.data.layouts import kermany
from pneumobench.utils.files import whole_folder
from pneumobench.utils.jsonable import to_json

MARK = "phantom.json"
VERSION = 1  # raise it when the images change: the folder's name carries it


@dataclass(frozen=True)
class Phantom:
    """How many images of which kind: 3 : 1 pneumonia to normal in train, as in the real data.

    `opacity` scales how strongly pneumonia shows, `blur` is the further blur of the test images in pixels.
    """

    train: tuple[int, int] = (200, 600)  # normal, pneumonia
    test: tuple[int, int] = (90, 150)
    size: int = 128
    seed: int = 0
    opacity: float = 1.0
    blur: float = 0.7

    @property
    def folder_name(self) -> str:
        """The name under which `ensure` keeps these images."""
        counts = "-".join(str(n) for n in (*self.train, *self.test))
        return f"phantom-v{VERSION}-{counts}-{self.size}px-{self.opacity}-{self.blur}-seed{self.seed}"


def ensure(phantom: Phantom | None = None, parent: Path | None = None) -> Path:
    """The phantom's folder, written first where it is missing; whole or not there, also with several processes."""
    phantom = phantom or Phantom()
    parent = parent or disk_cache.folder() / "phantom"
    path = parent / phantom.folder_name
    parent.mkdir(parents=True, exist_ok=True)
    with disk_cache.writing(parent), FileLock(f"{path}.lock"):
        if len(list(path.rglob("*.jpeg"))) != sum(phantom.train + phantom.test):
            with whole_folder(path) as building:  # what it replaces is a phantom that lost images
                write(phantom, building)
    return disk_cache.hold(path)


def write(phantom: Phantom, folder: Path) -> None:
    """Write the phantom's images into a new folder, in Mendeley's layout and with its file names."""
    rng = np.random.default_rng(phantom.seed)
    patient = 0
    for origin, counts in (("train", phantom.train), ("test", phantom.test)):
        for label, (name, count) in enumerate(zip(CLASSES, counts, strict=True)):
            target = folder / origin / name
            target.mkdir(parents=True)
            written = 0
            while written < count:
                patient += 1
                kind = ("bacteria", "virus")[int(rng.random() < 0.35)] if label else None
                body = _Body.draw(rng)
                for number in range(1, 1 + min(1 + rng.poisson(0.5), count - written)):
                    pixels = _render(body, kind, phantom, rng, phantom.blur if origin == "test" else 0.0)
                    file = f"person{patient}_{kind}_{written}.jpeg" if kind else f"IM-{patient:04d}-{number:04d}.jpeg"
                    Image.fromarray(pixels).save(target / file, quality=int(rng.integers(70, 95)))
                    written += 1
    (folder / MARK).write_text(json.dumps({"version": VERSION, **to_json(phantom)}))


@dataclass(frozen=True)
class _Body:
    """What a patient's images share, in units of half the image's width."""

    lung_width: float
    lung_height: float
    lung_gap: float
    heart: float
    rib_period: float
    rib_strength: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Body:
        return cls(
            lung_width=rng.uniform(0.26, 0.34),
            lung_height=rng.uniform(0.58, 0.72),
            lung_gap=rng.uniform(0.38, 0.46),
            heart=rng.uniform(0.24, 0.34),
            rib_period=rng.uniform(0.17, 0.22),
            rib_strength=rng.uniform(0.05, 0.11),
        )


def _render(body: _Body, kind: str | None, phantom: Phantom, rng: np.random.Generator, blur: float) -> np.ndarray:
    """One image, (size, size) uint8: the body as this exposure and this position show it."""
    n = phantom.size
    y, x = np.mgrid[-1 : 1 : n * 1j, -1 : 1 : n * 1j]
    x = x - rng.normal(0, 0.04)
    y = (y - rng.normal(0, 0.04)) * rng.uniform(0.95, 1.05)

    def blob(cx: float, cy: float, width: float, height: float, edge: float) -> np.ndarray:
        distance = np.sqrt(((x - cx) / width) ** 2 + ((y - cy) / height) ** 2)
        return 1 / (1 + np.exp((distance - 1) / edge))

    torso = blob(0, 0.15, 0.92, 1.25, 0.05)
    lungs = [blob(side * body.lung_gap, -0.02, body.lung_width, body.lung_height, 0.07) for side in (-1, 1)]
    lung = np.maximum(*lungs)
    ribs = np.sin(2 * np.pi * (y + 0.35 * x**2) / body.rib_period) ** 4
    tissue = 0.72 * torso - 0.48 * lung + body.rib_strength * ribs * torso
    tissue = tissue + 0.16 * np.exp(-((x / 0.09) ** 2)) * torso  # the spine
    tissue = tissue + 0.30 * blob(0.14, 0.30, body.heart, 0.30, 0.12)  # to the patient's left
    if kind:
        tissue = tissue + phantom.opacity * _opacity(kind, body, rng, blob) * lung
    exposure = rng.normal(0, 0.05) + tissue * rng.uniform(0.85, 1.15)
    grain = gaussian_filter(rng.normal(0, 1, (n, n)), 0.7) * rng.uniform(0.02, 0.06)
    image = gaussian_filter(exposure + grain, rng.uniform(0.3, 0.9) + blur)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def _opacity(kind: str, body: _Body, rng: np.random.Generator, blob: Callable[..., np.ndarray]) -> np.ndarray:
    """Bacterial: one or two dense patches in one lung. Viral: many faint ones in both. Some hardly show."""
    strength = rng.beta(1.6, 1.6)
    if kind == "bacteria":
        sides = np.full(rng.integers(1, 3), rng.choice([-1, 1]))
        size, density = (0.16, 0.34), 0.75 * strength
    else:
        sides = rng.choice([-1, 1], rng.integers(5, 11))
        size, density = (0.10, 0.20), 0.5 * strength
    total = sum(
        blob(
            side * body.lung_gap + rng.uniform(-0.6, 0.6) * body.lung_width,
            rng.uniform(-0.7, 0.7) * body.lung_height,
            rng.uniform(*size),
            rng.uniform(*size),
            0.25,
        )
        for side in sides
    )
    return density * np.minimum(total, 1.2)


layout = Layout(
    is_own=lambda path: (path / MARK).is_file(),
    read=kermany.read,
    citation="drawn by pneumobench; it says nothing about patients",
    licence="that of pneumobench",
    fetch="it is drawn where it is asked for: --data phantom",
    priority=2,
)
