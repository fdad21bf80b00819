"""Grad-CAM: the regions of an image that raise a network's probability of pneumonia."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from PIL import Image

from pneumobench.data.decode import RESAMPLING, resized
from pneumobench.errors import UsageError
from pneumobench.training import backend
from pneumobench.training.predictor import MeanPredictor, NetworkPredictor, Predictor


def gradcam(predictor: Predictor, images: np.ndarray) -> np.ndarray:
    """Heatmaps (n, height, width) float32, 0 to 1, for raw images (n, height, width, channels) at the model's view.

    The activations of the last layer with spatial dimensions, weighted by the mean gradient of the logit, summed,
    clipped at 0 and divided by the image's maximum (Selvaraju et al., ICCV 2017); all 0 if no region raises the
    probability. The heatmap of a mean of networks is the mean of theirs.
    Raises: UsageError for a model that is not a network, or has no layer with spatial dimensions.
    """
    if isinstance(predictor, MeanPredictor):
        heatmaps = [gradcam(member, resized(images, member.view)) for member in predictor.members]
        return np.mean([_enlarged(heat, images.shape[1:3]) for heat in heatmaps], axis=0)
    if not isinstance(predictor, NetworkPredictor):
        raise UsageError("Grad-CAM needs a network; this model is an estimator, which has no layers")
    return np.concatenate([_of_network(predictor.model, image[None]) for image in images])


def is_network(predictor: Predictor) -> bool:
    """Whether Grad-CAM applies: to a network, or to a mean of networks."""
    if isinstance(predictor, MeanPredictor):
        return all(map(is_network, predictor.members))
    return isinstance(predictor, NetworkPredictor)


def _of_network(model: Any, images: np.ndarray) -> np.ndarray:
    inputs = backend.inputs_of(model, images)
    layer, shape = _last_spatial_layer(model, inputs)

    def forward(nudge: Any) -> tuple[Any, Any]:
        """The sum of the logits with `nudge` added to the layer's output, and that output before."""
        with _intercepted(layer, lambda output: output + backend.keras().ops.cast(nudge, output.dtype)) as outputs:
            logit = model(inputs, training=False)
        return backend.keras().ops.sum(backend.keras().ops.cast(logit, "float32")), outputs[-1]

    with _logits(model):
        gradient, activation = backend.gradient(forward, np.zeros(shape, np.float32))
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((activation * weights).sum(axis=-1), 0)
    most = heat.max(axis=(1, 2), keepdims=True)
    return _enlarged(heat / np.where(most > 0, most, 1), images.shape[1:3])


def _last_spatial_layer(model: Any, inputs: Any) -> tuple[Any, tuple[int, ...]]:
    """The last layer called, also in nested models, with an output (n, height, width, channels), and its shape."""
    shapes = []
    with ExitStack() as stack:
        for layer in model._flatten_layers(include_self=False):
            if not list(layer._flatten_layers(include_self=False)):

                def record(output: Any, layer: Any = layer) -> Any:
                    shapes.append((layer, tuple(getattr(output, "shape", ()))))
                    return output

                stack.enter_context(_intercepted(layer, record))
        model(inputs, training=False)
    spatial = [(layer, shape) for layer, shape in shapes if len(shape) == 4 and shape[1] * shape[2] > 1]
    if not spatial:
        raise UsageError("Grad-CAM needs a layer with spatial dimensions; this network has none")
    return spatial[-1]


@contextmanager
def _intercepted(layer: Any, change: Callable[[Any], Any]) -> Iterator[list[Any]]:
    """Inside, `layer` returns its output passed through `change`; the list collects the original outputs."""
    outputs: list[Any] = []
    call = layer.call

    def intercepted(*args: Any, **kwargs: Any) -> Any:
        outputs.append(call(*args, **kwargs))
        return change(outputs[-1])

    layer.__dict__["call"] = intercepted  # bypasses Keras' __setattr__, which would track it
    try:
        yield outputs
    finally:
        del layer.__dict__["call"]


@contextmanager
def _logits(model: Any) -> Iterator[None]:
    """Inside, the model returns logits: the gradient of a saturated sigmoid is lost to rounding."""
    last, keras = model.layers[-1], backend.keras()
    activation = getattr(last, "activation", None)
    if activation is not keras.activations.sigmoid:
        yield
        return
    last.activation = keras.activations.linear
    try:
        yield
    finally:
        last.activation = activation


def _enlarged(heat: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Heatmaps (n, h, w) resized to (height, width)."""
    scaled = [Image.fromarray(map_.astype(np.float32)).resize((size[1], size[0]), RESAMPLING) for map_ in heat]
    return np.stack([np.asarray(map_) for map_ in scaled])
