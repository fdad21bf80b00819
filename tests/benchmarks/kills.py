"""What is lost when a comparison is killed: the same call again must finish it, and train nothing twice.

    python tests/benchmarks/kills.py [--moments 20] [--server]

Each row is a fresh store (SQLite, or with `--server` an MLflow server), a call of two plugins with two seeds on two
workers, a kill -9 at a random moment of it (seeded) of everything, of the first process alone, or of one worker, and
then the same call until it ends with 0. Printed are the epochs that were finished and trained again, the runs that
stayed RUNNING, trainings that finished twice, and looks at the test images beyond the one.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from pneumobench.data.layouts import phantom
from pneumobench.data.layouts.phantom import Phantom
from pneumobench.data.lockbox import Ledger
from pneumobench.tracking.store import Store

EXAMPLES = Path(__file__).parents[1] / "example_plugins"
CALL = ("run", "phased", "tiny", "--seeds", "2", "--workers", "2", "--checkpoint-every", "0")
WHOM = ("everything", "the first process", "a worker")
EPOCH = re.compile(r"^(\w+, seed \d): epoch (\d+)/", re.MULTILINE)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of an MLflow server on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)


def call(folder: Path, data: Path, uri: str, said: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PNEUMOBENCH_PLUGINS": str(EXAMPLES), "PNEUMOBENCH_TEST_SECONDS": "0.004"}
    command = [sys.executable, "-m", "pneumobench", *CALL, "--data", str(data), "--tracking-uri", uri]
    with said.open("ab") as file:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file, start_new_session=True)


def kill(process: subprocess.Popen[bytes], whom: str) -> None:
    if whom == "everything":
        os.killpg(process.pid, signal.SIGKILL)
    elif whom == "the first process":
        process.kill()
    else:
        for worker in psutil.Process(process.pid).children()[:1]:
            worker.kill()


def row(folder: Path, data: Path, uri: str, after: float, whom: str) -> dict[str, int]:
    """What one kill cost."""
    said = folder / "said.txt"
    process = call(folder, data, uri, said)
    time.sleep(after)
    if process.poll() is None:
        kill(process, whom)
    code = process.wait()
    while code != 0:
        code = call(folder, data, uri, said).wait()
    store = Store(uri)
    runs = store.tagged({})
    trained = Counter(EPOCH.findall(said.read_text()))
    finished = Counter(
        (run.data.tags["plugin"], run.data.tags["seed"])
        for run in runs
        if run.data.tags["kind"] == "seed" and run.info.status == "FINISHED"
    )
    return {
        "epochs again": sum(count - 1 for count in trained.values()),
        "left RUNNING": sum(run.info.status == "RUNNING" for run in runs),
        "finished twice": sum(count - 1 for count in finished.values()),
        "missing": 4 - len(finished),
        "looks too many": len(Ledger(folder / "runs").looks()) - 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--server", action="store_true")
    options = parser.parse_args()
    moments = random.Random(15)
    with tempfile.TemporaryDirectory() as temporary:
        data = phantom.ensure(Phantom(train=(24, 72), test=(16, 24), size=48), Path(temporary) / "phantom")
        for number in range(options.moments + 1):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            with server(folder) if options.server else nothing(f"sqlite:///{folder}/runs/mlflow.db") as uri:
                if number == 0:
                    began = time.monotonic()
                    assert call(folder, data, uri, folder / "said.txt").wait() == 0
                    whole = time.monotonic() - began
                    print(f"uninterrupted: {whole:.0f} s", flush=True)
                    continue
                after, whom = moments.uniform(2, whole), WHOM[number % 3]
                lost = row(folder, data, uri, after, whom)
            print(f"{after:5.1f} s  {whom:17}  " + "  ".join(f"{name} {n}" for name, n in lost.items()), flush=True)


@contextmanager
def nothing(uri: str) -> Iterator[str]:
    yield uri


if __name__ == "__main__":
    main()
