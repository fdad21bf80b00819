"""How long a comparison takes, and how much memory: 20 plugins of 5 seeds on 624 images, 10,000 resamples.

    python tests/benchmarks/compare_speed.py [--plugins 20] [--seeds 5] [--images 624] [--resamples 10000]

The predictions are drawn, nothing is trained. Printed are the seconds of `comparison.compare`, those of the
intervals of every metric (2,000 resamples), and the largest memory of the process, imports included.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from pneumobench.evaluation import estimates, paired
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("plugins", 20), ("seeds", 5), ("images", 624), ("resamples", paired.RESAMPLES)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    labels = (rng.random(asked.images) < 0.625).astype(np.int8)
    names = np.array([f"{i:06d}" for i in range(asked.images)])
    patients = np.array([f"p{i * 2 // 3}" for i in range(asked.images)])
    subtypes = np.where(labels == 1, "bacterial", "normal")

    def model(skill: float) -> Predictions:
        scores = labels * skill + rng.normal(0, 1, asked.images)
        point = OperatingPoint(0.5, "youden", 1)
        return Predictions(names, patients, subtypes, names, labels, 1 / (1 + np.exp(-scores)), point)

    plugins = {f"plugin{i}": [model(1 + i / 10) for _ in range(asked.seeds)] for i in range(asked.plugins)}
    began = time.perf_counter()
    paired.compare(plugins, "plugin0", resamples=asked.resamples)
    print(f"pairs: {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    for _ in ("test", "validation"):
        estimates.evaluate_all(plugins)
    print(f"intervals of every metric, test and validation: {time.perf_counter() - began:.1f} s")
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
