"""What varying the training images costs: the rate with `augment` over the rate without, in one run.

    python tests/benchmarks/augmentation_speed.py DATA [--plugin augmented] [--images 640] [--rounds 3]

The same plugin is trained with and without its `augment` by turns, in one process, each time for two epochs of
which the second counts (in the first, graphs are traced). Printed are both medians in images per second and their
ratio; the aim is at least 0.9.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

from pneumobench.authoring import knobs, registry
from pneumobench.data import split
from pneumobench.data.load import load_folder
from pneumobench.training import trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--plugin", default="augmented")
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    plugin = registry.load(options.plugin)
    development, _ = split.split(split.limit(load_folder(options.data), options.images))
    values = knobs.resolve(plugin, {})
    for view in trainer.views_of(plugin, values):
        development.training.pixels(view)
        development.validation.pixels(view)
    rates: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(options.rounds):
        for name, variant in (("with", plugin), ("without", replace(plugin, augment=None, defaults={}))):
            chosen = values if name == "with" else knobs.resolve(variant, {})
            predictor = trainer.train(variant, development, chosen, seed=0, epochs=2)
            rates[name].append(predictor.images_per_second)
            print(f"{name}: {predictor.images_per_second:.1f} images/s", flush=True)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print(f"{options.plugin}: with {medians['with']:.1f}, without {medians['without']:.1f} images/s (medians)")
    print(f"ratio: {medians['with'] / medians['without']:.2f}")


if __name__ == "__main__":
    main()
