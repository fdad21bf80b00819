"""Everything in RESULTS.md again, with one command, on the real images; go on where it was broken off.

    python tests/benchmarks/real_results.py [--only PLUGIN] [--seeds N] [--dry-run]

Run it in a folder that holds `data/chest_xray` and `weights/mobilenet_1_0_224_notop.weights.h5` (README.md says where
the data comes from; the weights are those of keras.applications.MobileNet without its top). Each training is a
process of its own, `pneumobench run PLUGIN --seed N …`, and is skipped where the tracking store holds a finished one
with the same plugin, seed and settings. At the end all of them are exported to `results/`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from pneumobench import exported
from pneumobench.runs import TrackedRun, of_store
from pneumobench.tracking.store import Store

MOBILENET = {"backbone": "MobileNet", "weights": "weights/mobilenet_1_0_224_notop.weights.h5"}
TUNED = MOBILENET | {"tuned_layers": "100"}  # all of MobileNet's layers

# plugin, knobs, seeds; where a seed takes over fifteen minutes on two cores with AVX2 alone, one is enough
PLAN: list[tuple[str, dict[str, str], int]] = [
    ("thumbnail", {}, 1),  # nothing in it is random
    ("baseline", {}, 3),
    ("class_weighted", {}, 3),
    ("oversampled", {}, 1),
    ("augmented", {}, 3),
    ("regularized", {}, 1),
    ("probe", MOBILENET, 3),
    ("transfer", TUNED, 3),
    ("residual", {}, 3),
    ("transfer_augmented", TUNED, 3),
    ("ensemble", {f"transfer_augmented.{knob}": value for knob, value in TUNED.items()}, 3),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="PLUGIN", help="these plugins alone; may be repeated")
    parser.add_argument("--seeds", type=int, help="at most so many seeds of each")
    parser.add_argument("--dry-run", action="store_true", help="say what is missing, train nothing")
    parser.add_argument("--to", type=Path, default=Path("results"), help="folder to export to")
    options = parser.parse_args()
    for plugin, knobs, seeds in PLAN:
        if options.only and plugin not in options.only:
            continue
        for seed in range(min(seeds, options.seeds or seeds)):
            if tracked(plugin, knobs, seed):
                continue
            chosen = [word for knob, value in knobs.items() for word in ("--set", f"{knob}={value}")]
            command = ["pneumobench", "run", plugin, "--seed", str(seed), *chosen]
            print(" ".join(command), flush=True)
            if not options.dry_run:
                subprocess.run([sys.executable, "-m", *command], check=True)
    for plugin, knobs, seeds in PLAN if not options.dry_run else ():
        for seed in range(seeds):
            for run in tracked(plugin, knobs, seed)[:1]:
                print(exported.write(run, options.to))


def tracked(plugin: str, knobs: dict[str, str], seed: int) -> list[TrackedRun]:
    """Finished trainings of the whole default split that opened the test images, the latest first."""
    store = Store()
    return [
        run
        for run in (of_store(store) if store.exists else [])
        if (run.plugin, run.seed) == (plugin, seed)
        and run.tags["dataset"] != "phantom"
        and (run.tags["split"], run.tags["split_seed"]) == ("patient", "0")
        and run.tags["operating_point"] == "youden"
        and not {"limit", "folds"} & set(run.tags)
        and run.looks is not None
        and all(run.params.get(knob) == value for knob, value in knobs.items())
        and is_default(run, knobs)
    ]


def is_default(run: TrackedRun, knobs: dict[str, str]) -> bool:
    """Whether all knobs but these have the plugin's defaults, and the epochs were left alone."""
    from pneumobench.knobs import resolve
    from pneumobench.registry import load

    expected = {name: str(value) for name, value in resolve(load(run.plugin), knobs).items()}
    return dict(run.params) == expected


if __name__ == "__main__":
    main()
