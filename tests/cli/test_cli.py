"""The command line as a user meets it: in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pneumobench.tracking.store import Store
from pneumobench.utils import provenance

pytestmark = pytest.mark.slow


def test_help_and_version(pneumobench):
    shown = pneumobench("--help")
    assert shown.returncode == 0
    for command in ("run", "plugins", "runs", "export", "ledger", "ui"):
        assert command in shown.stdout
        assert pneumobench(command, "--help").returncode == 0
    assert pneumobench("--version").stdout.strip() == provenance.version()


def test_plugins_are_listed_with_the_broken_one(cli):
    rows = json.loads(cli("plugins", "--json").stdout)["plugins"]
    assert {"baseline", "thumbnail", "tiny", "broken"} <= {row["name"] for row in rows}
    assert "The published network" in cli("plugins").stdout


def test_a_plugin_is_written_checked_shown_and_trained_without_a_reinstall(cli, phantom_folder, tmp_path):
    own = {"PNEUMOBENCH_PLUGINS": ""}
    done = cli("plugins", "new", "fresh_idea", **own)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [
        "next: pneumobench plugins check fresh_idea",
        "next: pneumobench run fresh_idea --no-test",
    ]
    assert "fresh_idea" in cli("plugins", **own).stdout
    check = cli("plugins", "check", "fresh_idea", **own)
    assert check.returncode == 0, check.stdout + check.stderr
    assert "fresh_idea keeps the contract" in check.stdout
    shown = json.loads(cli("plugins", "show", "fresh_idea", "--json", **own).stdout)
    assert shown["knobs"]["filters"] == {"default": 16, "type": "int", "choices": []}
    assert shown["space"]["learning_rate"] == "0.0001 to 0.01 (log)"
    assert shown["parameters"] > 1000
    assert "build" in shown["differences"]
    elsewhere = ("--plugins-dir", str(tmp_path / "plugins"))
    run = cli("run", "fresh_idea", "--no-test", "--data", str(phantom_folder), "--epochs", "1", *elsewhere)
    assert run.returncode == 0, run.stderr
    assert "fresh_idea on" in run.stdout


def test_a_broken_contract_is_told_with_its_place_and_exit_code_1(cli, tmp_path):
    (tmp_path / "hasty.py").write_text(
        '"""Returns no model, for tests."""\n\nfrom pneumobench import Recipe\n\n\n'
        "def build(shape, *, width: int = 3):\n    return None\n\n\nplugin = Recipe(build=build)\n"
    )
    done = cli("plugins", "check", "hasty", "--plugins-dir", str(tmp_path), "--json")
    assert done.returncode == 1
    broken = [clause for clause in json.loads(done.stdout)["clauses"] if clause["held"] is False]
    assert {clause["where"] for clause in broken} == {"hasty.py:6"}
    assert "returns None, not a keras.Model" in broken[0]["why"]
    assert "clauses are broken" in cli("plugins", "check", "hasty", "--plugins-dir", str(tmp_path)).stdout


def test_runs_are_listed_and_exported(cli, phantom_folder, tmp_path):
    none = cli("runs")
    assert (none.returncode, "no finished run is tracked here" in none.stderr) == (2, True)
    assert cli("run", "thumbnail", "--data", str(phantom_folder)).returncode == 0
    (row,) = json.loads(cli("runs", "--json").stdout)["experiments"]
    done = cli("export", row["run_ids"][0][:8])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"results/thumbnail-0-{row['run_ids'][0][:8]}"
    (again,) = json.loads(cli("runs", "--from", "results", "--json").stdout)["experiments"]
    assert again | {"commands": row["commands"]} == row
    assert again["commands"][0].startswith("pneumobench run thumbnail --data phantom-")
    assert "thumbnail" in cli("runs", "--from", "results").stdout
    assert cli("runs", "--from", "results", "--markdown").stdout.startswith("| phantom ")


def test_run_prints_one_json_object_and_nothing_else(pneumobench, phantom_folder):
    done = pneumobench("run", "tiny", "--data", str(phantom_folder), "--json", "--set", "width=5", "--epochs", "3")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["knobs"]["width"] == 5
    assert "epoch 3/3" in done.stderr
    for noise in ("WARNING", "INFO", "oneDNN", "cuda", "Traceback", "\x1b["):
        assert noise not in done.stderr
    (look,) = json.loads(pneumobench("ledger", "--json").stdout)["looks"]
    assert look["run"] == result["run_id"]
    assert look["command"].startswith("pneumobench run tiny --data")
    assert "tiny" in pneumobench("ledger").stdout


def test_without_data_the_phantom_is_used_and_said(pneumobench):
    done = pneumobench("run", "thumbnail")
    assert done.returncode == 0, done.stderr
    assert "PHANTOM" in done.stderr
    assert "synthetic" in done.stdout
    assert "AUROC" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "baselin"], 2, "no plugin named 'baselin'; did you mean 'baseline'?"),
        (["run", "tiny", "--set", "width"], 2, "--set takes knob=value, not 'width'"),
        (["run", "tiny", "--seeds", "many"], 2, "--seeds"),
        (["run"], 2, "run takes plugins by name, --all, or --plugins-from STUDY"),
        (["rum"], 2, "No such command 'rum'"),
        (["run", "tiny", "--data", "/no/such"], 1, "no folder /no/such"),
        (["run", "broken"], 1, "cannot be imported: ModuleNotFoundError"),
        (["plugins", "show", "broken"], 1, "cannot be imported: ModuleNotFoundError"),
        (["plugins", "check", "broken"], 1, "cannot be imported: ModuleNotFoundError"),
        (["plugins", "--plugins-dir", "no/such"], 2, "(--plugins-dir) is not a folder"),
        (["plugins", "new", "my-idea"], 2, "such as my_plugin, not 'my-idea'"),
        (["run", "tiny", "--folds", "2", "--seeds", "2"], 2, "--folds 2 trains one seed 2 times"),
        (["ui", "--port", "70000"], 2, "--port is 1 to 65535, not 70000"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(cli, arguments, code, message):
    done = cli(*arguments)
    assert done.returncode == code
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("pneumobench: ")
    assert message in last
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(cli):
    assert "Traceback" in cli("--debug", "run", "baselin").stderr


def test_completion_knows_the_plugins(pneumobench):
    done = pneumobench(_PNEUMOBENCH_COMPLETE="complete_bash", COMP_WORDS="pneumobench run thumb", COMP_CWORD="2")
    assert "thumbnail" in done.stdout


@pytest.fixture
def endless(tmp_path, phantom_folder, new_store):
    """An endless training that is under way."""
    new_store(tmp_path / "runs")
    with subprocess.Popen(
        [sys.executable, "-m", "pneumobench", "run", "endless", "--data", str(phantom_folder)],
        cwd=tmp_path,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        heard = ""
        for line in process.stderr:
            heard += line
            if line.startswith("epoch 2/"):
                break
        else:
            raise AssertionError(f"the training ended before its second epoch: {heard}")
        yield process
        process.kill()


def only_run(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/runs/mlflow.db")
    (run,) = store.client.search_runs([e.experiment_id for e in store.client.search_experiments()])
    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_in_seconds_with_the_run_killed(tmp_path, endless, number, code):
    endless.send_signal(number)
    _, rest = endless.communicate(timeout=120)  # seconds on an idle machine; its training has no end
    assert endless.returncode == code
    assert "Traceback" not in rest
    assert only_run(tmp_path).info.status == "KILLED"


def test_a_killed_process_is_closed_by_the_next_command(tmp_path, phantom_folder, endless, pneumobench):
    endless.kill()
    endless.wait()
    assert only_run(tmp_path).info.status == "RUNNING"
    assert pneumobench("run", "thumbnail", "--data", str(phantom_folder)).returncode == 0
    runs = Store(f"sqlite:///{tmp_path}/runs/mlflow.db")
    experiments = [e.experiment_id for e in runs.client.search_experiments()]
    (killed,) = runs.client.search_runs(experiments, "tags.plugin = 'endless'")
    assert killed.info.status == "KILLED"
    assert runs.client.search_runs(experiments, "attributes.status = 'RUNNING'") == []


def test_the_ui_answers_on_loopback_alone(tmp_path, phantom_folder, pneumobench):
    import socket
    import urllib.request

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pneumobench", "ui", "--port", str(port)]
    quiet = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **quiet) as server:
        try:
            assert f"http://127.0.0.1:{port}" in server.stdout.readline()
            for _ in range(120):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                        assert answer.status == 200
                    break
                except OSError:
                    time.sleep(0.5)
            else:
                pytest.fail("the server did not answer in a minute")
            taken = pneumobench("ui", "--port", str(port))
            assert (taken.returncode, "is taken" in taken.stderr) == (2, True)
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=30) == 130


def test_the_same_on_jax_where_it_is_installed(pneumobench, phantom_folder):
    pytest.importorskip("jax")
    arguments = ["run", "tiny", "--data", str(phantom_folder), "--json"]
    done = pneumobench(*arguments, KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["backend"] == "jax"
    assert 0 <= result["test"]["auroc"]["value"] <= 1
