"""The baseline's training step alone, as Keras lets one try it: backends, precisions, XLA, steps in one call.

    python tests/benchmarks/bare_step.py [--steps 15]

Each row is a process of its own: images per second of steps on one batch of 64 in memory, after three steps to
warm up. Below, the arithmetic of a step (convolutions and dense layers, forward and backward: three times the forward
pass), and its share of what this machine reaches in products of large matrices of the same precision.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from typing import Any

from pneumobench.utils.provenance import processor

BATCH, SHAPE = 64, (150, 150, 3)
SIDE = 3072  # of the matrices whose product shows the machine's peak
ROWS: dict[str, dict[str, Any]] = {
    "tensorflow, float32": {},
    "tensorflow, bfloat16": {"precision": "bfloat16"},
    "tensorflow, float32, XLA": {"jit": True},
    "tensorflow, bfloat16, XLA": {"precision": "bfloat16", "jit": True},
    "tensorflow, float32, 8 steps in a call": {"together": 8},
    "tensorflow, bfloat16, 8 steps in a call": {"precision": "bfloat16", "together": 8},
    "tensorflow, float32, without oneDNN": {"environment": {"TF_ENABLE_ONEDNN_OPTS": "0"}},
    "jax, float32": {"environment": {"KERAS_BACKEND": "jax"}, "jit": True},
    "jax, bfloat16": {"environment": {"KERAS_BACKEND": "jax"}, "jit": True, "precision": "bfloat16"},
}


def step(precision: str, jit: bool, together: int, steps: int) -> dict[str, float]:
    """Images per second, and the operations of an image's step."""
    import keras
    import numpy as np

    from pneumobench.plugins.baseline import build
    from pneumobench.training import precision as precisions

    with precisions.policy(precision):
        model = build(SHAPE)
    model.compile("adam", "binary_crossentropy", jit_compile=jit, steps_per_execution=together)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH * together, *SHAPE)).astype(np.float32)
    labels = rng.integers(0, 2, (BATCH * together, 1)).astype(np.float32)
    if together == 1:
        for _ in range(3):
            model.train_on_batch(images, labels)
        began = time.perf_counter()
        for _ in range(steps):
            model.train_on_batch(images, labels)
        count = steps * BATCH
    else:
        images, labels = np.concatenate([images] * 3), np.concatenate([labels] * 3)
        ends = []
        ended = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
        model.fit(images, labels, batch_size=BATCH, epochs=2, verbose=0, shuffle=False, callbacks=[ended])
        began, count = ends[0], len(images)
    seconds = time.perf_counter() - began
    return {"images_per_second": count / seconds, "gflop": 3 * forward(model) / 1e9}


def forward(model: Any) -> float:
    """Multiplications and additions of the convolutions and dense layers for one image."""
    total = 0.0
    for layer in model.layers:
        if layer.__class__.__name__ in ("Conv2D", "Dense"):
            kernel = math.prod(int(side) for side in layer.kernel.shape)
            total += 2.0 * kernel * math.prod(int(side) for side in layer.output.shape[1:-1])
    return total


def peak(precision: str) -> dict[str, float]:
    """GFLOP/s of a product of large matrices in TensorFlow."""
    import tensorflow as tf

    kind = tf.bfloat16 if precision == "bfloat16" else tf.float32
    one = tf.cast(tf.random.normal((SIDE, SIDE)), kind)
    product = tf.function(lambda: tf.reduce_sum(tf.cast(tf.matmul(one, one), tf.float32)))
    product()
    began = time.perf_counter()
    for _ in range(4):
        product().numpy()
    return {"gflops": 4 * 2 * SIDE**3 / (time.perf_counter() - began) / 1e9}


def measured(what: dict[str, Any], environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", json.dumps(what)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | environment)
    lines = done.stdout.decode().strip().splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 and lines else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        what = json.loads(options.only)
        print(json.dumps(peak(what["peak"]) if "peak" in what else step(**what)))
        return
    print(f"{processor()}, {os.cpu_count()} cores; batches of {BATCH}")
    peaks = {name: measured({"peak": name}, {}).get("gflops", float("nan")) for name in ("float32", "bfloat16")}
    print("; ".join(f"peak in {name}: {value:.0f} GFLOP/s" for name, value in peaks.items()))
    for name, row in ROWS.items():
        precision = row.get("precision", "float32")
        what = {
            "precision": precision,
            "jit": row.get("jit", False),
            "together": row.get("together", 1),
            "steps": options.steps,
        }
        found = measured(what, row.get("environment", {}))
        if not found:
            print(f"{name:42} failed")
            continue
        rate, gflop = found["images_per_second"], found["gflop"]
        share = rate * gflop / peaks[precision]
        print(f"{name:42} {rate:6.1f} images/s  {gflop:.2f} GFLOP an image  {share:.2f} of the peak", flush=True)


if __name__ == "__main__":
    main()
