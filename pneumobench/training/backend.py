"""Keras' and its backend's first import: quiet, with the settings that must stand before it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from pneumobench.errors import UsageError
from pneumobench.utils.stderr import quiet_stderr


@cache
def keras() -> Any:
    """The keras module, its backend started and its devices listed, without a word on the screen."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow uses oneDNN by itself only where it finds VNNI units; on an AVX2 machine it trained the
    # baseline 1.5 times as fast (37 against 25 images/s on two cores)
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # leave memory to others on the GPU
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    with quiet_stderr():
        import keras as module

        module.distribution.list_devices()
    return module


def forget() -> None:
    """Let go of the networks that Keras holds, if it was started."""
    if "keras" in sys.modules:
        keras().utils.clear_session()


def inputs_of(network: Any, images: np.ndarray) -> Any:
    """Images as a network of one input takes them: in a list, where it was built or stored with one."""
    return [images] if isinstance(network.input, list) else images


def outputs(network: Any, images: np.ndarray) -> np.ndarray:
    """What a network makes of one batch of images, its first axis theirs."""
    return np.asarray(network.predict_on_batch(inputs_of(network, images)))


@contextmanager
def eagerly() -> Iterator[None]:
    """Trainings inside run step by step on TensorFlow: tracing a deep network takes longer than a few steps do."""
    if name() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # it says that reading the batches is still traced, as it should be
            warnings.filterwarnings("ignore", ".*this option does not apply to tf.data functions", UserWarning)
            yield
    finally:
        tf.config.run_functions_eagerly(False)


@cache
def device() -> str:
    """ "gpu" or "cpu": where the backend puts a training."""
    # listed without a type: JAX raises where a type has no device
    found = keras().distribution.list_devices()
    return "gpu" if any(name.startswith(("gpu", "cuda", "rocm")) for name in found) else "cpu"


def name() -> str:
    """The Keras backend: "tensorflow" or "jax"."""
    return keras().backend.backend()


def gradient(function: Callable[[Any], tuple[Any, Any]], at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a function that gives (a scalar, something beside it): the scalar's gradient at `at`, and what is beside it.

    Raises: UsageError for a backend other than TensorFlow and JAX.
    """
    if name() == "tensorflow":
        import tensorflow as tf

        place = tf.constant(at)
        with tf.GradientTape() as tape:
            tape.watch(place)
            value, beside = function(place)
        found = tape.gradient(value, place)
    elif name() == "jax":
        import jax

        found, beside = jax.grad(function, has_aux=True)(jax.numpy.asarray(at))
    else:
        raise UsageError(f"gradients are taken on tensorflow or jax, not on {name()}")
    return np.asarray(found, np.float32), np.asarray(keras().ops.cast(beside, "float32"))
