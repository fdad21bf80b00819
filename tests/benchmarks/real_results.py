"""Everything in RESULTS.md again, with one command, on the real images; go on where it was broken off.

    python tests/benchmarks/real_results.py [--only PLUGIN] [--seeds N] [--dry-run]

Run it in a folder that holds `data/chest_xray` and `weights/mobilenet_1_0_224_notop.weights.h5` (README.md says where
the data comes from; the weights are those of keras.applications.MobileNet without its top). Each training is a
process of its own, `pneumobench run PLUGIN --seed N …`, and is skipped where the tracking store holds a finished one
with the same plugin, seed and settings. At the end all of them are exported to `results/`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from pneumobench.authoring import digest, registry
from pneumobench.authoring.knobs import resolve
from pneumobench.tracking import export
from pneumobench.tracking.runs import TrackedRun, of_store
from pneumobench.tracking.store import Store

DATA = Path("data/chest_xray")
FINGERPRINT = "19fd7be2301b9eead9cc09f160cc3c26"  # of the 5,216 + 624 images at 224 px
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
    for needed in (DATA, Path(MOBILENET["weights"])):
        if not needed.exists():
            parser.error(f"no {needed} in this folder")
    plan = [item for item in PLAN if not options.only or item[0] in options.only]
    wanted = [
        (plugin, knobs, seed) for plugin, knobs, seeds in plan for seed in range(min(seeds, options.seeds or seeds))
    ]
    for plugin, knobs, seed in wanted:
        if tracked(plugin, knobs, seed) is None:
            chosen = [word for knob, value in knobs.items() for word in ("--set", f"{knob}={value}")]
            command = ["pneumobench", "run", plugin, "--seed", str(seed), *chosen, "--data", str(DATA)]
            print(" ".join(command), flush=True)
            if not options.dry_run:
                subprocess.run([sys.executable, "-m", *command], check=True)
    for plugin, knobs, seed in wanted if not options.dry_run else ():
        run = tracked(plugin, knobs, seed)
        if run is None:
            sys.exit(f"{plugin}, seed {seed}: trained, but not found in the tracking store")
        for old in options.to.glob(f"{plugin}-{seed}-*"):
            shutil.rmtree(old)
        print(export.write(run, options.to))


def tracked(plugin: str, knobs: dict[str, str], seed: int) -> TrackedRun | None:
    """The latest finished training of this very plugin on the whole default split that opened the test images."""
    entry, value = registry.find(plugin), registry.load(plugin)
    params = {name: str(chosen) for name, chosen in resolve(value, knobs).items()}
    wanted = {
        "plugin": plugin,
        "plugin_digest": digest.digest(entry, value),
        "seed": str(seed),
        "fingerprint": FINGERPRINT,
        "split": "patient",
        "split_seed": "0",
        "operating_point": "youden",
    }
    store = Store()
    for run in of_store(store) if store.exists else []:
        same = all(run.tags.get(name) == value for name, value in wanted.items()) and dict(run.params) == params
        if same and run.looks is not None and not {"limit", "folds"} & set(run.tags):
            return run
    return None


if __name__ == "__main__":
    main()
