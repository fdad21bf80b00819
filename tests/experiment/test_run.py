"""The whole flow on a tiny phantom: what a run returns, and what it logs to the store."""

import json
import math
import subprocess
import sys
from itertools import count

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

import pneumobench
from pneumobench.comparison import card, facts
from pneumobench.comparison.page import markdown
from pneumobench.errors import DataError, TrainingError, UsageError
from pneumobench.tracking import export
from pneumobench.tracking.runs import of_store
from pneumobench.utils import energy
from pneumobench.utils.jsonable import to_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def one(store, phantom_folder):
    return pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, knobs={"width": "6"})


@pytest.fixture(scope="module")
def three(store, phantom_folder):
    return pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, seeds=3, seed=5)


def test_a_result_says_what_was_asked_for(one, dataset):
    plain = json.loads(json.dumps(to_json(one), allow_nan=False))
    for key in (
        *("run_id", "plugin", "dataset", "fingerprint", "split", "seeds", "test"),
        *("threshold", "seconds", "images_per_second"),
    ):
        assert key in plain
    assert (plain["plugin"], plain["dataset"], plain["seeds"]) == ("tiny", "phantom", [0])
    assert plain["fingerprint"] == dataset.fingerprint
    assert plain["knobs"] == {"width": 6, "epochs": 2, "learning_rate": 0.01}
    assert plain["test"]["auroc"]["low"] <= plain["test"]["auroc"]["value"] <= plain["test"]["auroc"]["high"]
    assert plain["counts"]["test"] == {"NORMAL": 16, "PNEUMONIA": 24}
    assert {"load", "decode", "train", "evaluate", "track", "total"} <= set(plain["seconds"])


def test_one_seed_is_one_flat_finished_run(one, store):
    run = store.client.get_run(one.run_id)
    assert run.info.status == "FINISHED"
    assert "mlflow.parentRunId" not in run.data.tags
    assert run.data.params == {"width": "6", "epochs": "2", "learning_rate": "0.01"}
    tags = run.data.tags
    assert (tags["plugin"], tags["dataset"], tags["split"], tags["seed"]) == ("tiny", "phantom", "patient", "0")
    for name in ("fingerprint", "split_digest", "backend", "precision", "git_commit", "versions", "command", "host"):
        assert tags[name], name
    assert run.data.metrics["test_auroc"] == pytest.approx(one.test["auroc"].value)
    assert run.data.metrics["test_auroc_low"] == pytest.approx(one.test["auroc"].low)
    assert run.data.metrics["training_seconds"] > 0
    history = store.client.get_metric_history(one.run_id, "val_auroc")
    assert [metric.step for metric in history] == [1, 2]
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("phantom", one.fingerprint)


def test_the_stored_predictions_reproduce_the_metrics(one, store):
    table = pq.read_table(store.file(one.run_id, "predictions/test.parquet")).to_pydict()
    assert len(table["patient"]) == 40
    auroc = roc_auc_score(table["label"], table["probability"])
    assert auroc == pytest.approx(one.test["auroc"].value)
    predicted = np.array(table["probability"]) >= one.threshold
    assert np.array_equal(predicted, table["predicted"])
    assert np.mean(predicted == table["label"]) == pytest.approx(one.test["accuracy"].value)
    validation = pq.read_table(store.file(one.run_id, "predictions/validation.parquet")).to_pydict()
    assert not set(validation["patient"]) & set(table["patient"])


def test_plots_source_and_hooks_are_kept(one, store):
    for name in ("roc", "precision_recall", "reliability", "confusion", "training"):
        with open(store.file(one.run_id, f"plots/{name}.png"), "rb") as file:
            assert file.read(4) == b"\x89PNG"
    with open(store.file(one.run_id, "plugin/tiny.py")) as file:
        assert "A network that trains in a blink" in file.read()
    with open(store.file(one.run_id, "plugin/hooks.json")) as file:
        assert json.load(file)["build"].endswith("tiny.build")


@pytest.mark.parametrize("name", ["tiny", "thumbnail"])
def test_the_model_loads_elsewhere_and_takes_raw_images(name, one, store, phantom_folder, tmp_path):
    result = one if name == "tiny" else pneumobench.run(name, data=phantom_folder, tracking_uri=store.uri)
    (model,) = store.client.get_run(result.run_id).outputs.model_outputs
    logged = store.client.get_logged_model(model.model_id)
    run = store.client.get_run(result.run_id)
    assert logged.status == "READY"
    assert logged.experiment_id == run.info.experiment_id
    assert logged.artifact_location.startswith(store.artifacts)
    assert any(metric.key == "test_auroc" for metric in logged.metrics), "the results are tied to the model"
    code = f"""
import mlflow, numpy as np
mlflow.set_tracking_uri({store.uri!r})
model = mlflow.pyfunc.load_model("models:/{model.model_id}")
shape = model.metadata.signature.inputs.inputs[0].shape
predicted = model.predict(np.full((3, *shape[1:]), 128, np.float32))
print(predicted.shape, bool(((predicted >= 0) & (predicted <= 1)).all()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.stdout.strip().endswith("(3,) True"), done.stderr


def test_several_seeds_are_a_parent_and_a_child_each(three, store):
    parent = store.client.get_run(three.run_id)
    children = [store.client.get_run(run.run_id) for run in three.runs]
    assert three.seeds == [5, 6, 7]
    assert [child.data.tags["seed"] for child in children] == ["5", "6", "7"]
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {three.run_id}
    assert {run.info.status for run in (parent, *children)} == {"FINISHED"}
    values = [child.data.metrics["test_auroc"] for child in children]
    assert parent.data.metrics["test_auroc"] == pytest.approx(np.mean(values))
    assert parent.data.metrics["test_auroc_sd"] == pytest.approx(np.std(values, ddof=1))


def test_all_seeds_take_one_look_which_names_the_run(one, three, store):
    looks = [look for look in store.ledger.looks() if look.run in (one.run_id, three.run_id)]
    assert sorted(look.run for look in looks) == sorted([one.run_id, three.run_id])  # made in either order
    assert looks[0].fingerprint == one.fingerprint
    assert looks[0].commit
    assert max(one.looks, three.looks) >= 1


def test_without_test_the_lockbox_stays_closed(store, copy):
    for path in (copy / "test").rglob("*.jpeg"):
        path.write_text(f"garbage {path.name}")
    before = len(store.ledger.looks())
    result = pneumobench.run("tiny", data=copy, tracking_uri=store.uri, test=False)
    assert result.test is None
    assert 0 <= result.validation["auroc"].value <= 1
    assert len(store.ledger.looks()) == before
    assert not any(name.startswith("test_") for name in store.client.get_run(result.run_id).data.metrics)
    with pytest.raises(DataError, match="not an image"):
        pneumobench.run("tiny", data=copy, tracking_uri=store.uri)
    trained = store.client.get_run(result.run_id)
    assert trained.info.status == "FINISHED", "what it trained stays"
    with pytest.raises(DataError, match="not an image"):
        pneumobench.run("tiny", data=copy, tracking_uri=store.uri, again=True)
    failed = store.client.search_runs([trained.info.experiment_id], max_results=1)
    assert failed[0].info.status == "FAILED"
    assert "not an image" in failed[0].data.tags["error"]


def test_a_training_that_fails_ends_its_run_as_failed(store, phantom_folder):
    with pytest.raises(TrainingError, match="became nan"):
        pneumobench.run("diverging", data=phantom_folder, tracking_uri=store.uri, seeds=2)
    runs = store.client.search_runs(
        [e.experiment_id for e in store.client.search_experiments()], "tags.plugin = 'diverging'"
    )
    assert [run.info.status for run in runs] == ["FAILED"] * 3
    assert all("became nan" in run.data.tags["error"] for run in runs)


def test_a_finished_seed_stays_when_a_later_one_fails(store, phantom_folder):
    """The plugin diverges for every seed but the first."""
    with pytest.raises(TrainingError, match="became nan"):
        pneumobench.run("unlucky", data=phantom_folder, tracking_uri=store.uri, seeds=2)
    runs = store.client.search_runs(
        [e.experiment_id for e in store.client.search_experiments()], "tags.plugin = 'unlucky'"
    )
    status = {run.data.tags.get("seed", "parent"): run.info.status for run in runs}
    assert status == {"0": "FINISHED", "1": "FAILED", "parent": "FAILED"}
    (done,) = [run for run in runs if run.info.status == "FINISHED"]
    assert "error" not in done.data.tags
    assert done.outputs.model_outputs
    assert store.file(done.info.run_id, "predictions/validation.parquet").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plugin": "tinny"}, "did you mean 'tiny'"),
        ({"knobs": {"wdith": 3}}, "did you mean 'width'"),
        ({"split": "random"}, "--split is one of"),
        ({"seeds": 0}, "--seeds is at least 1, not 0"),
        ({"seed": -1}, "--seed is at least 0, not -1"),
        ({"seed": 2**32}, "training seeds are below 4294967296, not 4294967296"),
        ({"limit": 0}, "--limit is at least 1, not 0"),
        ({"split_seed": -1}, "--split-seed is at least 0, not -1"),
        ({"operating_point": "best"}, "--operating-point is"),
        ({"precision": "half"}, "--precision is one of"),
        ({"epochs": 0}, "--epochs is at least 1"),
        ({"plugin": "thumbnail", "epochs": 3}, "has no epochs"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_tracked(options, message, tmp_path, phantom_folder):
    options = {"plugin": "tiny", "data": phantom_folder, "tracking_uri": f"sqlite:///{tmp_path}/new/s.db"} | options
    with pytest.raises(UsageError, match=message):
        pneumobench.run(options.pop("plugin"), **options)
    assert not (tmp_path / "new").exists()


def test_unreadable_images_are_left_out_counted_and_named(store, copy):
    bad = sorted((copy / "train" / "NORMAL").iterdir())[0]
    bad.write_text("hello")
    (copy / "test" / "NORMAL" / "empty.jpeg").write_bytes(b"")
    sorted((copy / "test" / "PNEUMONIA").iterdir())[0].write_text("no image either")
    result = pneumobench.run("tiny", data=copy, tracking_uri=store.uri, skip_unreadable=True)
    tags = store.client.get_run(result.run_id).data.tags
    assert tags["unreadable"] == "3"
    assert result.counts["test"] == {"NORMAL": 16, "PNEUMONIA": 23}
    assert result.majority.value == pytest.approx(23 / 39)
    assert bad.name in tags["unreadable_files"]
    assert "empty.jpeg" in result.notes[-1]


def test_a_limited_run_is_marked(store, phantom_folder):
    result = pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri, limit=60)
    assert store.client.get_run(result.run_id).data.tags["limit"] == "60"
    assert math.isclose(sum(sum(c.values()) for c in result.counts.values()), 60, abs_tol=8)


def test_phantom_and_other_data_are_in_experiments_apart(store, one, copy):
    (copy / "phantom.json").unlink()
    next((copy / "train" / "NORMAL").iterdir()).unlink()
    other = pneumobench.run("thumbnail", data=copy, tracking_uri=store.uri)
    assert other.dataset == "xrays"
    experiments = {store.client.get_run(r.run_id).info.experiment_id for r in (one, other)}
    assert len(experiments) == 2


def test_nothing_is_written_beside_the_store(store, phantom_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri, test=False)
    assert list(tmp_path.iterdir()) == []
    for experiment in store.client.search_experiments():
        assert experiment.artifact_location.startswith(store.artifacts), experiment.name


def test_one_dataset_is_one_experiment_whatever_its_folder_is_called(store, copy):
    (copy / "phantom.json").unlink()
    runs = [pneumobench.run("thumbnail", data=copy, tracking_uri=store.uri, test=False)]
    copy.rename(copy.with_name("elsewhere"))
    runs += [pneumobench.run("thumbnail", data=copy.with_name("elsewhere"), tracking_uri=store.uri, test=False)]
    assert [run.dataset for run in runs] == ["xrays", "elsewhere"]
    assert len({store.client.get_run(run.run_id).info.experiment_id for run in runs}) == 1


def test_official_split_and_a_chosen_operating_point(store, phantom_folder):
    result = pneumobench.run(
        "thumbnail", data=phantom_folder, tracking_uri=store.uri, split="official", operating_point="sensitivity=0.95"
    )
    assert result.counts["validation"] == {"NORMAL": 8, "PNEUMONIA": 8}
    assert result.validation["sensitivity"].value >= 0.95
    assert any("has no val folder" in note for note in result.notes)


def test_measured_energy_is_of_each_training_and_of_the_whole_run(store, phantom_folder, monkeypatch, tmp_path):
    joules = count(0, 3600)  # a watt-hour from one reading to the next

    monkeypatch.setattr(energy, "_gpus", dict)
    monkeypatch.setattr(energy, "_processors", lambda: {"package": ("cpu", lambda: float(next(joules)), 1e12)})
    options = {"data": phantom_folder, "tracking_uri": store.uri, "test": False, "again": True}
    result = pneumobench.run("thumbnail", seeds=2, **options)
    runs = [run for run in of_store(store) if run.parent == result.run_id]
    each = [run.metrics["training_energy_cpu_wh"] for run in runs]
    assert all(value >= 1 for value in each)
    assert store.run(result.run_id).data.metrics["energy_cpu_wh"] > sum(each)
    for run in runs:
        export.write(run, tmp_path)
    assert facts.of(export.read(tmp_path), "thumbnail").energy == {"cpu": pytest.approx(sum(each))}
    told = card.of(facts.of(runs, result.run_id, store))
    assert f"{sum(each):,.2f} Wh by the processor" in markdown.render(told)
