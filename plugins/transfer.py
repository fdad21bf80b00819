"""Inception-v3 with ImageNet weights: first a new head, then the last layers at a low learning rate.

Purpose: the published text names transfer learning as the remedy for small data. The head is global average
pooling, dropout and one sigmoid; batch normalisation stays in inference mode throughout, and the pixels are scaled
inside the model. `backbone` may also be MobileNet, DenseNet121 or EfficientNetV2B0; `weights` a file.
Differs from the baseline in: build, schedule, view, batch_size.
Expected: with MobileNet AUROC .956 ± .003 and 78.4 % accuracy at 0.5 (three seeds, RESULTS.md), no more than
`probe` has with its frozen features; `transfer_augmented` shows what augmentation and class weights add.
Duration: with MobileNet three minutes an epoch on two cores with AVX2 only. InceptionV3 needs a GPU; not measured
on one.

    pneumobench run transfer
    pneumobench run transfer --set backbone=MobileNet --set weights=FILE
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pneumobench import Backbone, Phase, Recipe, View, adamw, pretrained, unfreeze


def view(*, size: int = 160) -> View:
    """Square greyscale images of `size` pixels, in three equal channels."""
    return View(size, size, channels=3)


def build(
    shape: tuple[int, int, int],
    *,
    backbone: Backbone = "InceptionV3",
    weights: str = "imagenet",
    dropout: float = 0.3,
) -> Any:
    """The backbone and its new head for images (height, width, 3), 0 to 255."""
    import keras
    from keras import layers

    inputs, x = pretrained(shape, backbone, weights)
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", dtype="float32")(x))


def schedule(
    model: Any,
    *,
    head_epochs: int = 1,
    tune_epochs: int = 4,
    head_rate: float = 3e-3,
    tune_rate: float = 3e-4,
    tuned_layers: int = 50,
    weight_decay: float = 0.01,
) -> Iterator[Phase]:
    """The head alone, then also the backbone's last `tuned_layers` layers (all, if it has fewer)."""
    yield Phase("head", epochs=head_epochs, learning_rate=head_rate)
    unfreeze(model, tuned_layers)
    yield Phase("tune", epochs=tune_epochs, learning_rate=tune_rate, optimizer=adamw(weight_decay=weight_decay))


def space(trial: Any) -> dict[str, Any]:
    """Both learning rates, dropout, weight decay, and the number of layers fine-tuned."""
    return {
        "head_rate": trial.suggest_float("head_rate", 3e-4, 3e-2, log=True),
        "tune_rate": trial.suggest_float("tune_rate", 1e-5, 1e-3, log=True),
        "tuned_layers": trial.suggest_int("tuned_layers", 10, 100),
        "dropout": trial.suggest_float("dropout", 0.0, 0.6),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 0.1, log=True),
    }


plugin = Recipe(
    build=build,
    schedule=schedule,
    space=space,
    view=view,
    batch_size=32,
    check={"backbone": "MobileNet", "weights": "none", "size": 64, "tuned_layers": 20},
)
