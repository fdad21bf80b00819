"""Pretrained networks: keras.applications' and EfficientNet-Lite, each with the scaling that it was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pneumobench.errors import WeightsError
from pneumobench.training import applications, efficientnet_lite

Backbone = Literal[
    "InceptionV3",
    "MobileNet",
    "DenseNet121",
    "EfficientNetV2B0",
    "EfficientNetLite0",
    "EfficientNetLite1",
    "EfficientNetLite2",
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "DenseNet169",
    "DenseNet201",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "InceptionResNetV2",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "VGG16",
    "VGG19",
    "Xception",
]
NAME = "backbone"  # of the backbone's layer


def pretrained(
    shape: tuple[int, int, int], backbone: str, weights: str, *, standardise: bool = False
) -> tuple[Any, Any]:
    """An input of images (height, width, 3), 0 to 255, and a backbone's feature maps for it.

    The backbone is one layer named "backbone", frozen until `unfreeze`. `weights`: "imagenet" (EfficientNet-Lite's from
    the extra `pretrained`, the others' downloaded on first use), "none" (random), or a weights file without the top.
    `standardise` gives each image mean 0 and standard deviation 1 in place of the backbone's own scaling.
    Raises: WeightsError if they cannot be found, downloaded, read, or loaded into the network.
    """
    import keras

    if shape[2] != 3:
        raise WeightsError(f"{backbone} takes images of 3 channels, not {shape[2]}")
    inputs = keras.Input(shape)
    network = _network(shape, backbone, weights)
    # renamed only now: EfficientNetV2 derives its pixel scaling from its name
    network = keras.Model(network.inputs[0], network.outputs[0], name=NAME)
    network.trainable = False
    return inputs, network(_standardised(inputs, backbone) if standardise else _scaled(inputs, backbone))


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
    is_lite = backbone in efficientnet_lite.SCALES
    if weights == "imagenet" and not is_lite:
        return applications.imagenet(shape, backbone)
    network = (efficientnet_lite if is_lite else applications).network(shape, backbone)
    if weights == "imagenet":
        efficientnet_lite.load_imagenet(network, backbone)
    elif weights != "none":
        _load(network, backbone, Path(weights).expanduser())
    return network


def _load(network: Any, backbone: str, path: Path) -> None:
    if not path.is_file():
        raise WeightsError(f'`weights` is "imagenet", "none" or a weights file; there is no file {path}')
    if path.suffix in (".pth", ".pt") and backbone in efficientnet_lite.SCALES:
        return efficientnet_lite.load_torch(network, path)
    try:
        network.load_weights(path)
    except Exception as error:  # h5py and Keras raise many types, with multi-line messages
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{path} does not hold the weights of {backbone} without its top: {reason}") from error


def _scaled(images: Any, backbone: str) -> Any:
    return (efficientnet_lite if backbone in efficientnet_lite.SCALES else applications).scaled(images, backbone)


def _standardised(images: Any, backbone: str) -> Any:
    """Each image with mean 0 and standard deviation 1, in place of the backbone's own scaling."""
    from keras import layers

    scaled_outside = *efficientnet_lite.SCALES, *applications.FROM_MINUS_1_TO_1, *applications.STANDARDISED
    if backbone not in scaled_outside:
        raise WeightsError(f"{backbone} takes pixels from 0 to 255, not standardised images")
    # in float32, as a mean over all pixels is coarse in bfloat16
    return layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False, dtype="float32")(images)
