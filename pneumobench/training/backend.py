"""The first import of Keras and its backend: without log output, after the settings that must precede it."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from pneumobench.errors import UsageError
from pneumobench.training import keras_settings
from pneumobench.utils.stderr import quiet_stderr


@cache
def keras() -> Any:
    """The keras module, with its backend started and its devices listed, without any output.

    Raises: UsageError for settings of Keras that do not fit.
    """
    if "keras" not in sys.modules:
        keras_settings.check()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow enables oneDNN by default only on CPUs with VNNI; on an AVX2 machine it trained the
    # baseline 1.5 times as fast (37 against 25 images/s on two cores)
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # leave memory to other processes on the GPU
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    logging.getLogger("tensorflow").addFilter(_is_not_of_tracing)
    with quiet_stderr():
        import keras as module

        module.distribution.list_devices()
    if module.backend.backend() not in keras_settings.BACKENDS:  # imported by the user before
        raise UsageError(f"Keras runs on {' or '.join(keras_settings.BACKENDS)} here, not {module.backend.backend()}")
    return module


def _is_not_of_tracing(record: logging.LogRecord) -> bool:
    """TensorFlow counts the networks of a process as one function that is traced again and again."""
    return "tf.function retracing" not in str(record.msg)


def forget() -> None:
    """Release the networks that Keras keeps in memory, if it was started."""
    if "keras" in sys.modules:
        keras().utils.clear_session()


def inputs_of(network: Any, images: np.ndarray) -> Any:
    """The argument for a network with one input: in a list, if it was built or saved with one."""
    return [images] if isinstance(network.input, list) else images


def outputs(network: Any, images: np.ndarray) -> np.ndarray:
    """A network's outputs (n, …) for one batch of images (n, height, width, channels)."""
    return np.asarray(network.predict_on_batch(inputs_of(network, images)))


@contextmanager
def eagerly() -> Iterator[None]:
    """Trainings inside run eagerly on TensorFlow: tracing a deep network takes longer than a few steps."""
    if name() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # TensorFlow warns that tf.data is still traced, which is intended
            warnings.filterwarnings("ignore", ".*this option does not apply to tf.data functions", UserWarning)
            yield
    finally:
        tf.config.run_functions_eagerly(False)


@cache
def device() -> str:
    """ "gpu" or "cpu": the device on which the backend trains."""
    # listed without a type: JAX raises if there is no device of a type
    devices = keras().distribution.list_devices()
    return "gpu" if any(name.startswith(("gpu", "cuda", "rocm")) for name in devices) else "cpu"


def name() -> str:
    """The Keras backend: "tensorflow" or "jax"."""
    return keras().backend.backend()


def gradient(function: Callable[[Any], tuple[Any, Any]], at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For a function that returns (scalar, auxiliary tensor): the scalar's gradient at `at`, and the auxiliary tensor.

    Raises: UsageError for a backend other than TensorFlow and JAX.
    """
    if name() == "tensorflow":
        import tensorflow as tf

        point = tf.constant(at)
        with tf.GradientTape() as tape:
            tape.watch(point)
            value, auxiliary = function(point)
        gradient = tape.gradient(value, point)
    elif name() == "jax":
        import jax

        gradient, auxiliary = jax.grad(function, has_aux=True)(jax.numpy.asarray(at))
    else:
        raise UsageError(f"gradients need the tensorflow or jax backend, not {name()}")
    return np.asarray(gradient, np.float32), np.asarray(keras().ops.cast(auxiliary, "float32"))
