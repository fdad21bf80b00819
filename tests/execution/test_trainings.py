"""Trainings in worker processes: what a call gives, and what is left when workers, or everything, are killed."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from pneumobench.data.options import DataOptions
from pneumobench.execution.trainings import trainer
from pneumobench.experiment.request import Request
from pneumobench.experiment.run import in_turn, run_requests
from pneumobench.tracking.runs import of_store
from pneumobench.tracking.store import Store
from pneumobench.training.options import TrainOptions
from pneumobench.utils.progress import Progress

pytestmark = pytest.mark.slow


def test_one_worker_trains_in_this_process(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert trainer(None) is in_turn
    assert trainer(1) is in_turn
    assert trainer(2) is not in_turn


@pytest.fixture(scope="module")
def place(tmp_path_factory, new_store):
    folder = tmp_path_factory.mktemp("workers")
    return folder, Store(new_store(folder / "runs"))


@pytest.fixture(scope="module")
def outcome(place, phantom_folder):
    """An ensemble, a network and a plugin that fails on its second seed, on two workers."""
    folder, store = place
    requests = [Request("pair"), Request("tiny", {"width": "6"}), Request("unlucky")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run_requests(
            requests,
            DataOptions(data=phantom_folder),
            TrainOptions(seeds=2),
            tracking_uri=store.uri,
            trainer=trainer(2),
        )


def test_workers_train_what_is_asked_for(outcome, place):
    _, store = place
    assert [(one.plugin, one.seeds) for one in outcome.results] == [("pair", [0, 1]), ("tiny", [0, 1])]
    status = {run.info.status for run in store.tagged({}) if run.data.tags["plugin"] != "unlucky"}
    assert status == {"FINISHED"}
    assert [failure.name for failure in outcome.failed] == ["unlucky, seed 1"]
    assert "became nan" in str(outcome.failed[0])
    assert len(store.ledger.looks()) == 1


def test_each_training_was_in_a_workers_process_and_kept_its_epochs(outcome, place):
    _, store = place
    tiny = outcome.results[1]
    for one in tiny.runs:
        run = store.run(one.run_id)
        assert run.data.tags["mlflow.parentRunId"] == tiny.run_id
        assert run.data.tags["pid"] != str(os.getpid())
        assert [metric.step for metric in store.client.get_metric_history(one.run_id, "val_auroc")] == [1, 2]
        assert store.file(one.run_id, "plots/training.png").stat().st_size > 1000


def test_the_models_are_those_of_one_process(outcome, place, phantom_folder, tmp_path, new_store):
    """To rounding: a worker has fewer threads, whose sums are in another order."""
    _, store = place
    alone = Store(new_store(tmp_path / "runs"))
    options = {"tracking_uri": alone.uri}
    run_requests([Request("tiny", {"width": "6"})], DataOptions(data=phantom_folder), TrainOptions(seeds=2), **options)
    spread = {run.training: run for run in of_store(store) if run.plugin == "tiny" and run.params["width"] == "6"}
    for run in of_store(alone):
        one, other = run.predictions("test"), spread[run.training].predictions("test")
        assert np.allclose(one.probability, other.probability, atol=0.02)


def test_folds_are_spread_too(tmp_path, new_store, phantom_folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store(new_store(tmp_path / "runs"))
    said = Said()
    outcome = run_requests(
        [Request("tiny")],
        DataOptions(data=phantom_folder),
        TrainOptions(folds=3),
        tracking_uri=store.uri,
        trainer=trainer(2),
        progress=said,
    )
    (result,) = outcome.results
    assert result.folds == 3
    assert result.test
    trained = [line for line in said.lines if "trained in" in line]
    assert len(trained) == 4, "each fold, and their mean"
    children = store.children(result.run_id, {"kind": "fold"})
    assert {run.info.status for run in children} == {"FINISHED"}
    for run in children:
        assert [metric.step for metric in store.client.get_metric_history(run.info.run_id, "val_auroc")] == [1, 2]
    assert not list((store.folder / "folds").iterdir())


class Said(Progress):
    def __init__(self):
        self.lines = []

    def fact(self, text):
        self.lines.append(text)


CALL = ("run", "phased", "tiny", "--seeds", "2", "--workers", "2", "--checkpoint-every", "0")


@pytest.fixture
def killing(tmp_path, new_store, phantom_folder):
    """Starts the call and kills some of its processes after so many seconds; without, runs it to its end."""
    new_store(tmp_path / "runs")
    environment = os.environ | {"PNEUMOBENCH_TEST_SECONDS": "0.005"}

    def call(after=None, whom=None):
        command = [sys.executable, "-m", "pneumobench", *CALL, "--data", str(phantom_folder)]
        with open(tmp_path / "said.txt", "ab") as said:
            process = subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=said, stderr=said, start_new_session=True
            )
        if after is None:
            return process.wait(180)
        time.sleep(after)
        whom(process)
        return process.wait(180)

    return call, Store(f"sqlite:///{tmp_path}/runs/mlflow.db")


def everything(process):
    os.killpg(process.pid, signal.SIGKILL)


def the_first_alone(process):
    process.kill()


def a_worker(process):
    workers = psutil.Process(process.pid).children() if process.poll() is None else []
    for worker in workers[:1]:
        worker.kill()


def test_whatever_is_killed_the_same_call_finishes_it(killing):
    call, store = killing
    moments = random.Random(15)
    for whom in (everything, the_first_alone, a_worker, everything):
        call(moments.uniform(6, 20), whom)
    assert call() == 0
    runs = store.tagged({})
    assert {run.info.status for run in runs if run.data.tags["kind"] == "seeds"} == {"FINISHED"}
    seeds = [run for run in runs if run.data.tags["kind"] == "seed"]
    assert "RUNNING" not in {run.info.status for run in runs}
    finished = sorted(
        (run.data.tags["plugin"], run.data.tags["seed"]) for run in seeds if run.info.status == "FINISHED"
    )
    assert finished == [("phased", "0"), ("phased", "1"), ("tiny", "0"), ("tiny", "1")], "each once"
    assert len(store.ledger.looks()) == 1
    assert not list((store.folder / "checkpoints").iterdir())
