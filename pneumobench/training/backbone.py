"""Pretrained networks of keras.applications, each with the pixel scaling that it was trained with."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pneumobench.errors import WeightsError

Backbone = Literal["InceptionV3", "MobileNet", "DenseNet121", "EfficientNetV2B0"]
NAME = "backbone"  # of the backbone's layer
SECONDS = 30.0  # without a response before a download is aborted

IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB from 0 to 1


def pretrained(shape: tuple[int, int, int], backbone: str, weights: str) -> tuple[Any, Any]:
    """An input of images (height, width, 3), 0 to 255, and a backbone's feature maps for it.

    The backbone is one layer named "backbone", frozen until `unfreeze`. `weights`: "imagenet" (downloaded on
    first use), "none" (random), or a weights file without the top.
    Raises: WeightsError if they cannot be downloaded, read, or loaded into the network.
    """
    import keras

    inputs = keras.Input(shape)
    network = _network(shape, backbone, weights)
    # renamed only now: EfficientNetV2 derives its pixel scaling from its name
    network = keras.Model(network.inputs[0], network.outputs[0], name=NAME)
    network.trainable = False
    return inputs, network(_scaled(inputs, backbone))


def unfreeze(model: Any, last: int) -> None:
    """Make the last `last` layers of the backbone trainable (all, if it has fewer), except batch normalisation.

    Frozen batch normalisation stays in inference mode, with its pretrained statistics. Keras' guide calls the
    backbone with training=False instead, which Keras 3.15 overrides inside a model that is being fitted.
    """
    import keras

    layers = model.get_layer(NAME).layers
    model.get_layer(NAME).trainable = True
    for index, layer in enumerate(layers):
        is_last = index >= len(layers) - last
        layer.trainable = is_last and not isinstance(layer, keras.layers.BatchNormalization)


def _network(shape: tuple[int, int, int], backbone: str, weights: str) -> Any:
    import keras

    make = getattr(keras.applications, backbone)
    if shape[2] != 3:
        raise WeightsError(f"{backbone} takes images of 3 channels, not {shape[2]}")
    if weights != "imagenet":
        network = make(include_top=False, weights=None, input_shape=shape)
        if weights != "none":
            _load(network, backbone, Path(weights).expanduser())
        return network
    try:
        with _timeout(SECONDS):
            return make(include_top=False, weights="imagenet", input_shape=shape)
    except Exception as error:  # Keras raises a bare Exception if the host does not respond
        address = re.search(r"https?://\S+/([^/\s:]+)", str(error))
        if not address:
            raise
        raise WeightsError(
            f"the ImageNet weights of {backbone} cannot be downloaded: fetch {address[0].rstrip(':')}, and put it into "
            f"~/.keras/models/ or name it with --set weights=FILE (--set weights=none trains from random weights)"
        ) from error


def _load(network: Any, backbone: str, path: Path) -> None:
    if not path.is_file():
        raise WeightsError(f'`weights` is "imagenet", "none" or a weights file; there is no file {path}')
    try:
        network.load_weights(path)
    except Exception as error:  # h5py and Keras raise many types, with multi-line messages
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{path} does not hold the weights of {backbone} without its top: {reason}") from error


def _scaled(images: Any, backbone: str) -> Any:
    """Pixels preprocessed as for ImageNet training: keras.applications' `preprocess_input`, as a layer."""
    from keras import layers

    match backbone:
        case "InceptionV3" | "MobileNet":
            return layers.Rescaling(1 / 127.5, -1)(images)
        case "DenseNet121":
            scale = [1 / (255 * sd) for sd in IMAGENET_SD]
            offset = [-mean / sd for mean, sd in zip(IMAGENET_MEAN, IMAGENET_SD, strict=True)]
            return layers.Rescaling(scale, offset)(images)
        case _:
            return images  # EfficientNetV2 has a scaling layer


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Sockets opened inside time out, so that an unresponsive network cannot block a command forever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
