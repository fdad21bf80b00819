"""Grad-CAM: where in an image a network sees what speaks for pneumonia."""

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
    """Heat (n, height, width) float32 from 0 to 1, for raw images (n, height, width, channels) at its view.

    The activations of the last layer that still has places, weighted by the mean gradient of the logit, summed,
    cut at 0 and divided by the image's largest (Selvaraju et al., ICCV 2017); all 0 where nothing speaks for
    pneumonia. A mean of networks has the mean of their heats.
    Raises: UsageError for a model that is no network, or whose layers have no places.
    """
    if isinstance(predictor, MeanPredictor):
        heats = [gradcam(one, resized(images, one.view)) for one in predictor.members]
        return np.mean([_enlarged(heat, images.shape[1:3]) for heat in heats], axis=0)
    if not isinstance(predictor, NetworkPredictor):
        raise UsageError("Grad-CAM takes a network; this model is an estimator, which has no layers to look into")
    return np.concatenate([_of_network(predictor.model, image[None]) for image in images])


def is_network(predictor: Predictor) -> bool:
    """Whether there is a heat to be had: of a network, or of a mean of networks."""
    if isinstance(predictor, MeanPredictor):
        return all(map(is_network, predictor.members))
    return isinstance(predictor, NetworkPredictor)


def _of_network(model: Any, images: np.ndarray) -> np.ndarray:
    inputs = backend.inputs_of(model, images)
    layer, shape = _last_with_places(model, inputs)

    def forward(nudge: Any) -> tuple[Any, Any]:
        """The logit's sum, and the layer's output, with `nudge` added to that."""
        with _intercepted(layer, lambda output: output + backend.keras().ops.cast(nudge, output.dtype)) as seen:
            logit = model(inputs, training=False)
        return backend.keras().ops.sum(backend.keras().ops.cast(logit, "float32")), seen[-1]

    with _logits(model):
        gradient, activation = backend.gradient(forward, np.zeros(shape, np.float32))
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((activation * weights).sum(axis=-1), 0)
    most = heat.max(axis=(1, 2), keepdims=True)
    return _enlarged(heat / np.where(most > 0, most, 1), images.shape[1:3])


def _last_with_places(model: Any, inputs: Any) -> tuple[Any, tuple[int, ...]]:
    """The last layer to run, in nested models too, whose output is (n, height, width, channels), and its shape."""
    found = []
    with ExitStack() as stack:
        for layer in model._flatten_layers(include_self=False):
            if not list(layer._flatten_layers(include_self=False)):

                def note(output: Any, layer: Any = layer) -> Any:
                    found.append((layer, tuple(getattr(output, "shape", ()))))
                    return output

                stack.enter_context(_intercepted(layer, note))
        model(inputs, training=False)
    placed = [(layer, shape) for layer, shape in found if len(shape) == 4 and shape[1] * shape[2] > 1]
    if not placed:
        raise UsageError("Grad-CAM takes a network with a layer of places; no layer's output here is an image")
    return placed[-1]


@contextmanager
def _intercepted(layer: Any, change: Callable[[Any], Any]) -> Iterator[list[Any]]:
    """While open, `layer` gives what `change` makes of its output; the list fills with what it was."""
    seen: list[Any] = []
    call = layer.call

    def intercepted(*args: Any, **kwargs: Any) -> Any:
        seen.append(call(*args, **kwargs))
        return change(seen[-1])

    layer.__dict__["call"] = intercepted  # past Keras' own __setattr__, which would track it
    try:
        yield seen
    finally:
        del layer.__dict__["call"]


@contextmanager
def _logits(model: Any) -> Iterator[None]:
    """While open, the model's sigmoid is left out: where it is saturated its gradient is lost in rounding."""
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
    """Heat (n, h, w) at another size (height, width)."""
    scaled = [Image.fromarray(one.astype(np.float32)).resize((size[1], size[0]), RESAMPLING) for one in heat]
    return np.stack([np.asarray(one) for one in scaled])
