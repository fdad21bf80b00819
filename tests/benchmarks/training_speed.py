"""Training speed of the baseline: this project's, the published pipeline's kind, and the bare step, in one run.

    python tests/benchmarks/training_speed.py DATA [--images 1280] [--epochs 3]

Each of the three runs in a process of its own, one after the other, on the same training files:

- ours: `pneumobench`'s trainer (decoded once, memory-mapped, batches made beside the step);
- twin: our own copy of the post's way, Keras' ImageDataGenerator, which decodes every file in every epoch,
  with TensorFlow's settings as they come;
- bare: `train_on_batch` on one batch that is already in memory, with our settings.

Printed are images per second after the first epoch (in which graphs are traced), and two ratios: our time an
epoch over the twin's, and our rate over the bare one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 64
SHAPE = (150, 150, 3)


def ours(folder: Path, epochs: int) -> dict[str, float]:
    """Our trainer; seconds of the training steps, and of whole epochs with their validation."""
    from pneumobench.authoring import knobs, registry
    from pneumobench.data import split
    from pneumobench.data.load import load_folder
    from pneumobench.training import trainer

    development, _ = split.split(load_folder(folder), policy="official")
    plugin = registry.load("baseline")
    development.training.pixels(plugin.view)
    seconds: list[float] = []
    ends = [time.perf_counter()]

    def on_epoch(epoch):
        seconds.append(epoch.seconds)
        ends.append(time.perf_counter())

    values = knobs.resolve(plugin, {})
    predictor = trainer.train(plugin, development, values, seed=0, epochs=epochs, on_epoch=on_epoch)
    images = len(development.training)
    whole = [b - a for a, b in itertools.pairwise(ends)][1:]
    return {
        "images": images,
        "images_per_second": images * len(seconds[1:]) / sum(seconds[1:]),
        "with_validation": images * len(whole) / sum(whole),
        "precision": predictor.precision,
    }


def twin(folder: Path, epochs: int) -> dict[str, float]:
    """The published way: a generator that opens, decodes and resizes each file in each epoch."""
    import keras
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    from pneumobench.plugins.baseline import build

    flow = ImageDataGenerator(
        rescale=1.0
    ).flow_from_directory(  # the model holds the 1/255
        str(folder / "train"), target_size=SHAPE[:2], batch_size=BATCH, class_mode="binary"
    )
    model = build(SHAPE)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    seconds = []

    class Timer(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            seconds.append(time.perf_counter() - self.began)

    model.fit(flow, epochs=epochs, verbose=0, callbacks=[Timer()])
    return {"images": flow.samples, "images_per_second": flow.samples * len(seconds[1:]) / sum(seconds[1:])}


def bare(folder: Path, epochs: int) -> dict[str, float]:
    """Steps on one batch in memory: what the arithmetic alone allows."""
    import numpy as np

    from pneumobench.plugins.baseline import build
    from pneumobench.training import backend, precision

    with precision.policy(precision.resolve("auto")):
        model = build(SHAPE)
    model.compile("adam", "binary_crossentropy", jit_compile=backend.name() == "jax")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, *SHAPE)).astype(np.float32)
    labels = rng.integers(0, 2, (BATCH, 1)).astype(np.float32)
    for _ in range(3):
        model.train_on_batch(images, labels)
    steps = max(10, len(list((folder / "train").rglob("*.jpeg"))) // BATCH)
    began = time.perf_counter()
    for _ in range(steps):
        model.train_on_batch(images, labels)
    return {"images": steps * BATCH, "images_per_second": steps * BATCH / (time.perf_counter() - began)}


def subset(data: Path, images: int, target: Path) -> None:
    """Links to about so many training files, both classes in their shares, and to all test files."""
    shutil.copytree(data / "test", target / "test", copy_function=os.symlink)
    files = sorted((data / "train").rglob("*.jpeg"))
    step = max(1, len(files) // images)
    for path in files[::step]:
        link = target / "train" / path.parent.name / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=1280)
    parser.add_argument("--epochs", type=int, default=3, choices=range(2, 100), metavar="N")
    parser.add_argument("--only", choices=["ours", "twin", "bare"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(globals()[options.only](options.data, options.epochs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "chest_xray"
        subset(options.data.resolve(), options.images, target)
        found = {}
        for name in ("bare", "ours", "twin"):
            command = [sys.executable, __file__, str(target), "--epochs", str(options.epochs), "--only", name]
            environment = os.environ | {"PNEUMOBENCH_CACHE": f"{folder}/cache"}
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
            found[name] = json.loads(done.stdout.strip().splitlines()[-1])
            print(f"{name}: {json.dumps(found[name])}", flush=True)
    ours_rate, twin_rate, bare_rate = (found[name]["images_per_second"] for name in ("ours", "twin", "bare"))
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(f"our time an epoch over the twin's: {twin_rate / ours_rate:.2f}")
    print(f"the same, our validation counted: {twin_rate / found['ours']['with_validation']:.2f}")
    print(f"our rate over the bare one: {ours_rate / bare_rate:.2f}")


if __name__ == "__main__":
    main()
