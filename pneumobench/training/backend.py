"""Keras' and its backend's first import: quiet, with the settings that must stand before it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what native libraries write to file descriptor 2 off the screen; replay it if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        screen = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(screen, 2)
            caught.seek(0)
            os.write(2, caught.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


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


@cache
def device() -> str:
    """ "gpu" or "cpu": where the backend puts a training."""
    # listed without a type: JAX raises where a type has no device
    found = keras().distribution.list_devices()
    return "gpu" if any(name.startswith(("gpu", "cuda", "rocm")) for name in found) else "cpu"


def name() -> str:
    """The Keras backend: "tensorflow", "jax" or "torch"."""
    return keras().backend.backend()
