"""A tracking store that goes away in the middle of a training costs nothing: what it did not take is sent later."""

import json

import mlflow
import numpy as np
import pytest

import pneumobench
from pneumobench.errors import TrackingError
from pneumobench.tracking import kept
from pneumobench.tracking.history import History
from pneumobench.tracking.runs import of_store
from pneumobench.tracking.store import Store

WRITES = "log_batch", "log_artifacts", "log_inputs", "create_logged_model", "set_terminated", "update_run", "set_tag"


@pytest.fixture
def network(monkeypatch):
    """A function that takes the store away, or brings it back."""

    def away(is_away=True):
        def fail(*_, **__):
            raise ConnectionError("the server is away")

        for name in WRITES:
            monkeypatch.setattr(mlflow.MlflowClient, name, fail if is_away else before[name])

    before = {name: getattr(mlflow.MlflowClient, name) for name in WRITES}
    return away


@pytest.mark.slow
def test_what_a_store_did_not_take_is_sent_later(tmp_path, phantom_folder, new_store, network, monkeypatch):
    store = Store(new_store(tmp_path / "runs"))
    options = {"data": phantom_folder, "tracking_uri": store.uri, "test": False}
    whole = pneumobench.run("tiny", **options)
    add = History.add
    monkeypatch.setattr(History, "add", lambda log, *epoch: (add(log, *epoch), network()))
    with pytest.raises(TrackingError) as raised:
        pneumobench.run("tiny", again=True, **options)
    monkeypatch.setattr(History, "add", add)
    (run_id,) = kept.waiting(store)
    assert f"run {run_id[:8]} is incomplete" in str(raised.value)
    assert "`pneumobench send` sends them" in str(raised.value)

    assert kept.send_all(store)[0] == []
    assert kept.waiting(store) == [run_id], "nothing is lost by an attempt that fails"
    assert kept.waiting(Store(f"sqlite:///{tmp_path / 'other.db'}")) == []

    network(False)
    assert kept.send_all(store) == ([run_id], [])
    sent, first = of_store(store)
    assert (sent.run_id, first.run_id) == (run_id, whole.run_id)
    assert np.array_equal(sent.predictions("validation").probability, first.predictions("validation").probability)
    for metric in ("validation_auroc", "validation_auroc_low", "threshold", "threshold_ties"):
        assert sent.metrics[metric] == first.metrics[metric]
    assert sent.tags["precision"] == first.tags["precision"]
    assert [metric.step for metric in store.client.get_metric_history(run_id, "loss")] == [1, 2]
    assert json.loads(store.file(run_id, "plugin/hooks.json").read_text())
    assert (store.model_folder(store.run(run_id)) / "predictor.json").exists()
    assert kept.waiting(store) == []
    assert not (store.folder / "kept" / run_id).exists()
