"""Wall time of a comparison: four plugins with two seeds each on one worker and on two, and of the same call again.

    python tests/benchmarks/several.py [--data DIR] [--limit 400] [--plugins baseline thumbnail …]

Each line is a call of `pneumobench run` in a process of its own, in a folder of its own for each number of workers.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pneumobench.utils.provenance import processor

PLUGINS = ("baseline", "class_weighted", "augmented", "thumbnail")


def seconds(folder: Path, arguments: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pneumobench", "run", *arguments], cwd=folder, check=True, capture_output=True
    )
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="phantom")
    parser.add_argument("--limit", default="400")
    parser.add_argument("--epochs", default="3")
    parser.add_argument("--plugins", nargs="+", default=PLUGINS)
    options = parser.parse_args()
    data = options.data if options.data == "phantom" else str(Path(options.data).resolve())
    call = [*options.plugins, "--seeds", "2", "--data", data, "--limit", options.limit, "--epochs", options.epochs]
    print(f"{processor()}, {os.cpu_count()} cores: pneumobench run {' '.join(call)}")
    with tempfile.TemporaryDirectory() as temporary:
        for workers in ("1", "2"):
            folder = Path(temporary) / workers
            folder.mkdir()
            first = seconds(folder, [*call, "--workers", workers])
            print(f"{workers} workers: {first:.0f} s; the same again: {seconds(folder, call):.1f} s", flush=True)


if __name__ == "__main__":
    main()
