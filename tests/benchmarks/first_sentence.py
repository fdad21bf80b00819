"""How long it takes from `pip install` to the first sentence of `compare`, in a clean environment.

    python tests/benchmarks/first_sentence.py [--wheel FILE] [--constraints FILE] [--cold]

A new environment and a new folder; the steps are those of a newcomer, one process each: install, compare the exported
results (nothing is trained), train two plugins on the phantom, compare them. Each line is the step's seconds and the
seconds since the beginning. pip reads from its cache what it has there unless `--cold` is given, so that the first step
says as much about the network and the disk as about us.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def steps(wheel: str, constraints: Path | None, cold: bool) -> Iterator[tuple[str, list[str]]]:
    """What is typed, and what is run for it."""
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *(["--no-cache-dir"] if cold else [])]
    yield "pip install", [*pip, wheel, *(["-c", str(constraints)] if constraints else [])]
    for line in (
        f"compare --from {shlex.quote(str(ROOT / 'results'))}",
        "run thumbnail --data phantom --split-seeds 3",
        "plugins new mine --from thumbnail",
        "run mine --data phantom --split-seeds 3",
        "compare mine --against thumbnail",
    ):
        yield f"pneumobench {line.replace(str(ROOT) + os.sep, '')}", ["-m", "pneumobench", *shlex.split(line)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", default=str(ROOT), help="what pip installs; default: this checkout")
    parser.add_argument("--constraints", type=Path, default=ROOT / "constraints.txt")
    parser.add_argument("--cold", action="store_true", help="without pip's cache")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "environment", with_pip=True)
        python = home / "environment" / "bin" / "python"
        surroundings = {
            name: value for name, value in os.environ.items() if not name.startswith(("PNEUMOBENCH_", "MLFLOW_"))
        }
        surroundings["PNEUMOBENCH_CACHE"] = str(home / "cache")
        began = time.monotonic()
        for typed, words in steps(given.wheel, given.constraints, given.cold):
            start = time.monotonic()
            done = subprocess.run([python, *words], cwd=home, env=surroundings, capture_output=True, text=True)
            now = time.monotonic()
            print(f"{now - start:7.1f} s  {now - began:7.1f} s  {typed}", flush=True)
            if done.returncode:
                print(done.stderr[-2000:], file=sys.stderr)
                return 1
            sentence = next((line for line in done.stdout.splitlines() if line.startswith("- ")), "")
            if sentence:
                print(f"{'':22}{sentence[2:]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
