"""How loading, the start of a training and the audit grow with the number of images, up to 100,000.

    python tests/benchmarks/scale.py [--images 100000] [--side 512] [--folder DIR]

Images are generated (mixtures of rendered phantoms, JPEG, two a patient, one patient in nine a test patient) into a
folder that is reused where it is given. Every line is a process of its own: seconds, and the most memory that was the
process' own (RssAnon, twenty looks a second; not pages of the mapped cache, which the system takes back at will).
`start` is `pneumobench run baseline --no-test` until so many steps of the first epoch are done.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

BASES = 64
STEPS = 3


def generate(folder: Path, images: int, side: int) -> None:
    """Write the images, on all cores."""
    with tempfile.TemporaryDirectory() as scratch:
        from pneumobench.data.layouts.phantom import Phantom, write

        write(Phantom(train=(BASES // 2, BASES // 2), test=(1, 1), size=side), Path(scratch) / "bases")
        files = sorted((Path(scratch) / "bases" / "train").rglob("*.jpeg"))
        bases = np.stack([np.asarray(Image.open(path), np.float32) for path in files])
    for origin in ("train", "test"):
        for name in ("NORMAL", "PNEUMONIA"):
            (folder / origin / name).mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        blocks = [range(start, min(start + 1000, images)) for start in range(0, images, 1000)]
        list(pool.map(_write, [folder] * len(blocks), [bases] * len(blocks), blocks))


def _write(folder: Path, bases: np.ndarray, numbers: range) -> None:
    for number in numbers:
        patient = number // 2
        ill = patient % 4 != 0
        rng = np.random.default_rng(number)
        half = len(bases) // 2
        chosen = rng.integers(0, half, 3) + (half if ill else 0)
        weights = rng.dirichlet(np.ones(3)).astype(np.float32)
        mixed = np.zeros(bases.shape[1:], np.float32)
        for base, weight in zip(chosen, weights, strict=True):
            mixed += weight * np.roll(bases[base], rng.integers(-40, 40, 2), (0, 1))
        origin = "test" if patient % 9 == 8 else "train"
        file = f"person{patient}_bacteria_{number}.jpeg" if ill else f"IM-{patient:06d}-{number % 2 + 1:04d}.jpeg"
        target = folder / origin / ("PNEUMONIA" if ill else "NORMAL") / file
        Image.fromarray(mixed.astype(np.uint8)).save(target, quality=80)


def load(folder: Path, images: int) -> str:
    """Names, hashes and the division, as before every training."""
    from pneumobench.data import prepare
    from pneumobench.data.options import DataOptions
    from pneumobench.utils.progress import Progress

    found = prepare.load(DataOptions(data=folder), Progress())
    return found.summary()


def start(folder: Path, images: int) -> str:
    """A run of the baseline, stopped after some steps."""
    import pneumobench
    from pneumobench.utils.progress import Progress

    class Some(Progress):
        def batch(self, epoch: int, step: int, loss: float) -> None:
            if step == STEPS:
                raise KeyboardInterrupt

    try:
        pneumobench.run("baseline", data=folder, test=False, progress=Some())
    except KeyboardInterrupt:
        return f"{STEPS} steps were taken"
    raise SystemExit("the training ended before it was stopped")


def audit(folder: Path, images: int) -> str:
    """The audit of so many of the images, their hashes known."""
    from pneumobench.data.audit import audit
    from pneumobench.data.load import load_folder
    from pneumobench.utils.progress import Progress

    dataset = load_folder(folder)
    dataset = dataset.subset(np.random.default_rng(0).permutation(len(dataset))[:images])
    found = audit(dataset, Progress())
    return f"{found.decoded:,} looked at; " + ", ".join(one.kind for one in found.findings)


def measured(step: str, folder: Path, images: int) -> None:
    """Run a step in this process and print its line."""
    most = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.05):
            status = Path("/proc/self/status").read_text()
            most = max(most, int(status.partition("RssAnon:")[2].split()[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        said = {"load": load, "start": start, "audit": audit}[step](folder, images)
    finally:
        done.set()
        watcher.join()
    print(f"{step:>6} {images:>8,}  {time.perf_counter() - began:7.1f} s  {most / 1e6:5.2f} GB  {said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=("load", "start", "audit"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        measured(asked.step, asked.folder, asked.images)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "images"
        if not folder.exists():
            began = time.perf_counter()
            generate(folder, asked.images, asked.side)
            print(f"{asked.images:,} images of {asked.side} pixels in {time.perf_counter() - began:.0f} s", flush=True)
        environment = os.environ | {"PNEUMOBENCH_CACHE": f"{scratch}/cache", "TF_CPP_MIN_LOG_LEVEL": "3"}
        steps = [(step, asked.images) for step in ("load", "load", "start", "start")]
        steps += [("audit", asked.images // part) for part in (4, 2, 1)]
        for step, images in steps:
            command = [sys.executable, __file__, "--step", step, "--images", str(images), "--folder", str(folder)]
            subprocess.run(command, env=environment, check=True, cwd=scratch)


if __name__ == "__main__":
    main()
