"""An interrupted training that is resumed gives what an uninterrupted one gives."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pneumobench.authoring import knobs, registry
from pneumobench.data import split
from pneumobench.tracking.runs import of_store
from pneumobench.tracking.store import Store
from pneumobench.training import checkpoint, trainer
from pneumobench.training.checkpoint import Checkpoint, Checkpoints, resumable


class Interrupted(Exception):  # noqa: N818
    pass


@pytest.fixture(scope="module")
def development(dataset):
    return split.split(dataset)[0]


@pytest.fixture(scope="module")
def phased():
    return registry.load("phased")


def train(plugin, development, folder=None, stop=None, every=0.0, notes=None):
    """The predictions on validation, and the epochs that were reported."""
    reports = []

    def on_epoch(epoch):
        if epoch.number == stop and not epoch.earlier:
            raise Interrupted
        reports.append(epoch)

    kept = folder and Checkpoints(folder, every, [].append if notes is None else notes.append)
    values = knobs.resolve(plugin, {})
    options = {"seed": 3, "name": "phased", "checkpoints": kept}
    return trainer.train(plugin, development, values, on_epoch=on_epoch, **options)(development.validation), reports


@pytest.fixture(scope="module")
def whole(phased, development):
    return train(phased, development)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [2, -2])
def test_a_resumed_training_gives_the_same_predictions(phased, development, whole, tmp_path, stop):
    expected, reports = whole
    count = len(reports)
    assert count < 12, "the first phase ends by early stopping"
    at = stop if stop > 0 else count + 1 + stop
    with pytest.raises(Interrupted):
        train(phased, development, tmp_path, at)
    again, replayed = train(phased, development, tmp_path)
    assert np.allclose(again, expected, rtol=0, atol=1e-6)
    assert [epoch.number for epoch in replayed] == list(range(1, count + 1))
    assert [epoch.earlier for epoch in replayed] == [number < at for number in range(1, count + 1)]
    assert [epoch.val_auroc for epoch in replayed] == pytest.approx([epoch.val_auroc for epoch in reports])


@pytest.mark.slow
def test_interrupted_several_times_it_still_ends_the_same(phased, development, whole, tmp_path):
    expected, reports = whole
    for number in range(3, len(reports) + 1, 3):
        with pytest.raises(Interrupted):
            train(phased, development, tmp_path, number)
    assert np.allclose(train(phased, development, tmp_path)[0], expected, rtol=0, atol=1e-6)
    assert np.allclose(train(phased, development, tmp_path, stop=1)[0], expected, rtol=0, atol=1e-6), "nothing is left"


@pytest.mark.slow
def test_it_is_written_no_more_often_than_asked(phased, development, whole, tmp_path):
    train(phased, development, tmp_path, every=3600)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_full_disk_costs_the_checkpoints_and_nothing_else(phased, development, whole, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.np, "savez", full)
    notes = []
    said, _ = train(phased, development, tmp_path, notes=notes)
    assert np.allclose(said, whole[0], rtol=0, atol=1e-6)
    assert len(notes) == 1
    assert notes[0].startswith("the training continues without checkpoints: no space left in")
    assert list(tmp_path.iterdir()) == []


def test_a_state_is_read_as_it_was_written_and_a_damaged_one_is_said(tmp_path):
    notes = []
    kept = Checkpoint(tmp_path / "a.npz", 0, notes.append)
    assert kept.read() is None
    arrays = {"model": [np.arange(3, dtype=np.uint32), np.float32(2.5)], "best": [np.ones((2, 2))]}
    kept.write({"phase": 1, "reports": [{"loss": float("inf")}]}, arrays)
    state = kept.read()
    assert state.about == {"phase": 1, "reports": [{"loss": float("inf")}]}
    assert [array.dtype for array in state.arrays["model"]] == [np.uint32, np.float32]
    assert np.array_equal(state.arrays["best"][0], np.ones((2, 2)))
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:200])
    assert kept.read() is None
    assert notes == [f"the checkpoint {tmp_path / 'a.npz'} is damaged: the training starts anew"]


def test_checkpoints_are_of_one_training_and_one_process(tmp_path):
    notes = []
    with resumable(tmp_path, {"seed": 0}, 0, notes.append) as first:
        first.of("network").write({}, {})
        with resumable(tmp_path, {"seed": 0}, 0, notes.append) as second:
            assert second is None
        with resumable(tmp_path, {"seed": 1}, 0, notes.append) as other:
            assert other.of("network").read() is None
            assert first.of_part("fold").of("network").read() is None
        assert first.of("network").read() is not None
    assert notes == ["another process is training the same: no checkpoints are written"]
    assert list(tmp_path.iterdir()) == []

    def fail():
        with resumable(tmp_path, {"seed": 0}, 0, notes.append) as failed:
            failed.of("network").write({}, {})
            raise Interrupted

    with pytest.raises(Interrupted):
        fail()
    with resumable(tmp_path, {"seed": 0}, 0, notes.append) as again:
        assert again.of("network").read() is not None


KILLED = "run", "phased", "--no-test", "--checkpoint-every", "0"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_killed_run_goes_on_where_it_was(tmp_path, phantom_folder, new_store, backend):
    """Killed by SIGKILL in the middle of an epoch of the second phase, and run again by the same command."""
    pytest.importorskip(backend)
    environment = os.environ | {"KERAS_BACKEND": backend}

    def run(folder, kill="", **more):
        uri = new_store(tmp_path / folder)
        command = [sys.executable, "-m", "pneumobench", *KILLED, "--data", str(phantom_folder), "--tracking-uri", uri]
        options = {"cwd": tmp_path, "env": environment | more, "text": True}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options) as running:
            said = ""
            for line in running.stderr:
                said += line
                if kill and line.startswith(kill):
                    running.kill()
        return running.returncode, said, Store(uri)

    code, said, store = run("whole")
    assert code == 0, said
    (expected,) = of_store(store)
    epochs = said.count("\nepoch ")
    code, said, store = run("killed", kill=f"epoch {epochs - 2}/", PNEUMOBENCH_TEST_SECONDS="0.02")
    assert code == -signal.SIGKILL, said
    assert of_store(store) == []
    code, said, store = run("killed")
    assert code == 0, said
    after = re.search(r"phased is resumed after epoch (\d+) of 12", said)
    assert after, said
    assert epochs - 3 <= int(after[1]) < epochs, "its state is written after it is reported"
    (resumed,) = of_store(store)
    one, other = expected.predictions("validation"), resumed.predictions("validation")
    assert np.allclose(one.probability, other.probability, rtol=0, atol=1e-6)
    history = store.client.get_metric_history(resumed.run_id, "loss")
    assert sorted(metric.step for metric in history) == list(range(1, epochs + 1))
    assert list(Path(tmp_path / "killed" / "checkpoints").iterdir()) == []
