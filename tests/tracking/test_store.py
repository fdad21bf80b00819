import os
import subprocess
import sys

import pytest

from pneumobench.errors import TrackingError
from pneumobench.tracking import heartbeat
from pneumobench.tracking.recorder import recording
from pneumobench.tracking.store import Store
from pneumobench.utils import provenance


def test_the_address_is_the_option_the_variable_or_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Store().uri == f"sqlite:///{tmp_path}/runs/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert Store().uri == "http://127.0.0.1:9"
    assert Store("sqlite:///here.db").uri == f"sqlite:///{tmp_path}/here.db"
    assert Store("sqlite:///here.db").ledger.path == tmp_path / "ledger.jsonl"


@pytest.mark.parametrize("wrong", ["runs", "file:///tmp/x", "./mlruns"])
def test_the_file_store_is_refused(wrong):
    with pytest.raises(TrackingError, match="a tracking store is sqlite:///FILE"):
        Store(wrong)


def test_passwords_are_starred():
    assert provenance.redact("postgresql+psycopg://me:secret@host/db") == "postgresql+psycopg://me:***@host/db"
    assert provenance.redact("http://me:s@cret/x@host:1/db") == "http://me:***@host:1/db"
    assert provenance.redact("see http://a:b@c and sqlite:////x.db") == "see http://a:***@c and sqlite:////x.db"


@pytest.mark.slow
def test_ten_processes_at_once_on_an_empty_folder_all_succeed(tmp_path):
    code = (
        "import sys; from pneumobench.tracking.store import Store\n"
        "from pneumobench.tracking.recorder import recording\n"
        "store = Store(sys.argv[1]); experiment = store.experiment('one', 'f1', 'x')\n"
        "with recording(store, experiment, 'run', {}) as run: run.metrics({'x': 1.0})"
    )
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, uri], stderr=subprocess.PIPE, text=True) for _ in range(10)
    ]
    errors = [process.communicate(timeout=200)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 10, errors
    client = Store(uri).client
    (experiment,) = [e for e in client.search_experiments() if e.name.startswith("pneumobench")]
    runs = client.search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"] * 10
    assert len({run.info.run_id for run in runs}) == 10


@pytest.mark.slow
def test_opening_a_store_does_not_change_the_default_of_later_ones(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store.client
    assert Store().uri == f"sqlite:///{tmp_path}/runs/mlflow.db"


@pytest.mark.slow
def test_a_run_of_a_dead_process_is_closed_and_others_are_left_alone(store):
    client, experiment = store.client, store.experiment("abandoned", "abandoned-fingerprint", "x")
    dead = {**provenance.process(), "pid": "999999"}
    reused = {**provenance.process(), "pid_started": "1.0"}
    elsewhere = {**dead, "machine": "another", **heartbeat.first()}
    silent = {**elsewhere, heartbeat.TAG: "1700000000"}
    identities = {"dead": dead, "reused": reused, "elsewhere": elsewhere, "silent": silent, "own": provenance.process()}
    runs = {name: client.create_run(experiment, tags=tags).info.run_id for name, tags in identities.items()}
    assert store.close_abandoned() == 3
    status = {name: client.get_run(run).info.status for name, run in runs.items()}
    ended = {name for name, state in status.items() if state == "KILLED"}
    assert ended == {"dead", "reused", "silent"}
    assert {status["elsewhere"], status["own"]} == {"RUNNING"}
    assert client.get_run(runs["dead"]).data.tags["error"] == "the process was killed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("a b"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(143), "KILLED")]
)
def test_a_run_ends_with_its_error_whatever_happens(store, error, status):
    experiment = store.experiment("failing", "failing-fingerprint", "x")
    with pytest.raises(type(error)), recording(store, experiment, "run", {"plugin": "x"}) as run:
        raise error
    ended = store.client.get_run(run.run_id)
    assert ended.info.status == status
    assert ended.data.tags["error"] == ("ValueError: a b" if status == "FAILED" else "interrupted")
    assert ended.data.tags["pid"] == str(os.getpid())


@pytest.mark.slow
def test_an_undefined_metric_is_left_out(store):
    experiment = store.experiment("metrics", "metrics-fingerprint", "x")
    with recording(store, experiment, "run", {}) as run:
        run.metrics({f"m{i}": float(i) for i in range(1500)} | {"undefined": float("nan")})
    assert len(store.client.get_run(run.run_id).data.metrics) == 1500


@pytest.mark.slow
def test_a_deleted_experiment_is_restored(store):
    first = store.experiment("deleted", "deleted-fingerprint", "x")
    store.client.delete_experiment(first)
    assert store.experiment("deleted", "deleted-fingerprint", "x") == first


@pytest.mark.slow
def test_a_store_that_cannot_be_opened_is_one_line_without_its_password(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database" * 100)
    with pytest.raises(TrackingError, match="cannot use the tracking store sqlite:///") as caught:
        _ = Store(f"sqlite:///{tmp_path}/mlflow.db").client
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_the_experiments_are_listed_with_a_view_that_the_ui_can_open(new_store, tmp_path):
    import json

    from pneumobench.tracking import view

    store = Store(new_store(tmp_path))
    kept = store.experiment("phantom 1234", "1234", "what it is")
    store.client.create_experiment("somebody else's")
    assert store.experiments() == {"phantom 1234": kept}
    state = json.loads(store.client.get_experiment(kept).tags[view.TAG])
    assert state["orderByKey"] in state["selectedColumns"]
    assert view.address("http://127.0.0.1:5000", kept).startswith(f"http://127.0.0.1:5000/#/experiments/{kept}/runs?")
