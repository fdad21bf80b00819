"""The champion behind `mlflow models serve`: a real server, queried over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

import pneumobench
from pneumobench.data.decode import as_batch, decode
from pneumobench.experiment import predict

pytestmark = pytest.mark.slow
TIMEOUT = 180


@pytest.fixture(scope="module")
def served(store, phantom_folder, tmp_path_factory):
    """The address of a server of the champion, by the command that `pneumobench champion` prints."""
    run_id = pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, test=False).run_id
    predict.set_champion(store, run_id)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("served") / "log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/pneumobench@champion"),
                *("--env-manager", "local", "--port", str(port)),
            ],
            env=os.environ | {"MLFLOW_TRACKING_URI": store.uri},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + TIMEOUT
    try:
        while True:
            try:
                urllib.request.urlopen(f"{address}/ping", timeout=5)
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def test_served_probabilities_equal_those_of_predict(served, store, phantom_folder):
    model = predict.find(store)
    paths = predict.images([phantom_folder / "train" / "NORMAL"])[:3]
    view = model.served.predictor.view
    batch = as_batch(np.stack([decode(path, view) for path in paths]), view)
    request = urllib.request.Request(
        f"{served}/invocations",
        json.dumps({"inputs": batch.tolist()}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        served_probabilities = json.load(answer)["predictions"]
    assert served_probabilities == pytest.approx([each.probability for each in model(paths)], abs=1e-6)
