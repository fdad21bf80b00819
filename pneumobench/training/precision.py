"""The precision of a training's arithmetic: float32 or bfloat16."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

from pneumobench.training import backend

Resolved = Literal["float32", "bfloat16"]


def resolve(precision: str) -> Resolved:
    """`auto` is bfloat16 on hardware that accelerates it: a GPU from Ampere on, a CPU with bf16 instructions."""
    if precision != "auto":
        return cast(Resolved, precision)
    fast = _gpu_is_fast() if backend.device() == "gpu" else _cpu_is_fast()
    return "bfloat16" if fast else "float32"


@contextmanager
def policy(precision: Resolved) -> Iterator[None]:
    """Layers built inside compute in this precision; their variables are float32."""
    keras = backend.keras()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _cpu_is_fast() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    except OSError:  # not Linux: the CPU's bf16 support is unknown
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _gpu_is_fast() -> bool:
    """Whether the first GPU's compute capability is 8.0 (Ampere) or higher."""
    if backend.name() == "tensorflow":
        import tensorflow as tf

        details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    import jax

    return float(getattr(jax.devices("gpu")[0], "compute_capability", 0)) >= 8.0
