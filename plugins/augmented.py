"""The baseline with augmentation that imitates other exposures, other positioning and other scanners.

Purpose: the published model overfits, and normal test images are blurrier than normal training images. Small
rotations, shifts and scalings; brightness, contrast and gamma; blur, JPEG compression or a lower resolution; noise.
No vertical flip, which is not a chest X-ray, and by default no horizontal one, which puts the heart on the wrong side.
`normal_extra` strengthens augmentation of the minority class; `flip` mirrors every second image on average.
Differs from the baseline in: augment.
Expected: AUROC .944 ± .011 and 84.1 % accuracy at 0.5 (three seeds, RESULTS.md): more accurate than the baseline at
0.5, no difference in AUROC detected; five epochs may be too few to show one.
Duration: ten to fourteen minutes on two cores with AVX2 alone, as the baseline; augmentation runs in
parallel with the training step. Not measured on a GPU.

    pneumobench run augmented
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pneumobench import load_albumentations
from pneumobench.plugins.baseline import plugin as baseline
from pneumobench.plugins.baseline import space as baseline_space


def augment(
    *, geometry: float = 1.0, exposure: float = 1.0, quality: float = 1.0, normal_extra: float = 1.0, flip: bool = False
) -> Any:
    """Transforms by label. Each strength multiplies the default (1); 0 disables that kind."""
    return {
        0: pipeline(geometry * normal_extra, exposure * normal_extra, quality * normal_extra, flip),
        1: pipeline(geometry, exposure, quality, flip),
    }


def pipeline(geometry: float, exposure: float, quality: float, flip: bool) -> Any:
    """One transform of greyscale uint8 images (height, width)."""
    A = load_albumentations()
    steps = []
    if flip:
        steps += [A.HorizontalFlip(p=0.5)]
    if geometry:
        scale, shift, turn = min(0.1 * geometry, 0.5), 0.05 * geometry, 7 * geometry
        steps += [
            A.Affine(
                scale=(1 - scale, 1 + scale),
                translate_percent=(-shift, shift),
                rotate=(-turn, turn),
                p=0.8,
            )
        ]
    if exposure:
        change, gamma = min(0.2 * exposure, 0.8), min(25 * exposure, 80)
        steps += [
            A.RandomBrightnessContrast(brightness_limit=change, contrast_limit=change, p=0.7),
            A.RandomGamma(gamma_limit=(100 - gamma, 100 + gamma), p=0.5),
        ]
    if quality:
        worst, smallest = max(5, round(100 - 60 * quality)), max(0.15, 1 - 0.5 * quality)
        steps += [
            A.OneOf(
                [
                    A.GaussianBlur(blur_limit=0, sigma_limit=(0.2, 0.2 + 1.3 * quality)),
                    A.ImageCompression(quality_range=(worst, 95)),
                    A.Downscale(scale_range=(smallest, 0.95)),
                ],
                p=0.6,
            ),
            A.GaussNoise(std_range=(0.005, min(0.005 + 0.04 * quality, 1.0)), p=0.3),
        ]
    return A.Compose(steps)


def space(trial: Any) -> dict[str, Any]:
    """The baseline's space, the three strengths and `normal_extra`."""
    strengths = {name: trial.suggest_float(name, 0.0, 2.0) for name in ("geometry", "exposure", "quality")}
    return {**baseline_space(trial), **strengths, "normal_extra": trial.suggest_float("normal_extra", 1.0, 2.0)}


plugin = replace(baseline, augment=augment, space=space)
