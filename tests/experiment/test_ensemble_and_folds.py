"""Ensembles reuse tracked members and train the others; folds hold every patient out once."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import pneumobench
from pneumobench.authoring import registry
from pneumobench.errors import UsageError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(store, phantom_folder):
    return pneumobench.run("pair", data=phantom_folder, tracking_uri=store.uri)


@pytest.fixture(scope="module")
def folded(store, phantom_folder):
    return pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, folds=3, knobs={"epochs": 1})


def table(store, run_id, part):
    return pq.read_table(store.file(run_id, f"predictions/{part}.parquet")).to_pydict()


def runs_of(store, plugin):
    return store.finished({"plugin": plugin})


def test_missing_members_are_trained_as_separate_runs_that_open_no_test_image(store, pair):
    members = json.loads(store.client.get_run(pair.run_id).data.tags["members"])
    assert list(members) == ["tiny", "thumbnail"]
    for name, run_id in members.items():
        run = store.client.get_run(run_id)
        assert (run.data.tags["plugin"], run.info.status) == (name, "FINISHED")
        assert "test_auroc" not in run.data.metrics
        assert "mlflow.parentRunId" not in run.data.tags
    assert store.client.get_run(members["tiny"]).data.params["width"] == "5"
    assert [look.run for look in store.ledger.looks()].count(pair.run_id) == 1
    assert not set(members.values()) & {look.run for look in store.ledger.looks()}


def test_the_probability_is_the_mean_of_the_members(store, pair):
    members = json.loads(store.client.get_run(pair.run_id).data.tags["members"])
    each = [table(store, run_id, "validation")["probability"] for run_id in members.values()]
    assert table(store, pair.run_id, "validation")["probability"] == pytest.approx(np.mean(each, axis=0), abs=1e-6)
    assert pair.parameters == (5 * 9 + 5 + 5 + 1) + (16 + 1)


def test_tracked_members_are_reused_unless_data_seed_or_knobs_differ(store, pair, phantom_folder):
    def trained(**options):
        before = len(runs_of(store, "tiny"))
        pneumobench.run("pair", data=phantom_folder, tracking_uri=store.uri, test=False, **options)
        return len(runs_of(store, "tiny")) - before

    assert trained() == 0
    assert trained(seed=1) == 1
    assert trained(seeds=2) == 0
    assert trained(knobs={"tiny.width": "3"}) == 1
    assert trained(split_seed=1) == 1
    assert trained(epochs=1) == 1


def test_members_are_a_knob_and_wrong_ones_are_refused(store, phantom_folder):
    one = pneumobench.run(
        "pair", data=phantom_folder, tracking_uri=store.uri, test=False, knobs={"members": "thumbnail"}
    )
    assert list(one.knobs) == ["members", "thumbnail.C"]
    for members, message in (("thumbnial", "did you mean 'thumbnail'"), ("pair", "is itself an ensemble")):
        with pytest.raises(UsageError, match=message):
            pneumobench.run("pair", data=phantom_folder, tracking_uri=store.uri, knobs={"members": members})


def test_a_saved_ensemble_predicts_from_raw_images(store, pair):
    from pneumobench.training import pyfunc

    loaded = pyfunc._load_pyfunc(str(store.model_folder(store.client.get_run(pair.run_id))))
    view = loaded.predictor.view
    assert view.shape == (16, 16, 1)
    predicted = loaded.predict(np.random.default_rng(0).integers(0, 256, (3, *view.shape)).astype(np.float32))
    assert predicted.shape == (3,)
    assert np.all((predicted >= 0) & (predicted <= 1))


def test_folds_are_children_and_every_image_is_held_out_once(store, folded, dataset):
    parent = store.client.get_run(folded.run_id)
    assert (parent.data.tags["kind"], parent.data.tags["folds"]) == ("folds", "3")
    children = [run for run in runs_of(store, "tiny") if run.data.tags.get("mlflow.parentRunId") == folded.run_id]
    assert sorted(run.data.tags["fold"] for run in children) == ["1", "2", "3"]
    assert all(run.data.metrics["validation_auroc"] >= 0 for run in children)
    held = [table(store, run.info.run_id, "validation") for run in children]
    pooled = table(store, folded.run_id, "validation")
    assert sorted(pooled["image"]) == sorted(dataset.paths[dataset.origins != "test"])
    assert sorted(pooled["image"]) == sorted(image for one in held for image in one["image"])
    patients = [set(one["patient"]) for one in held]
    assert not patients[0] & patients[1] | patients[1] & patients[2] | patients[0] & patients[2]
    development = int(np.sum(dataset.origins != "test"))
    assert sum(folded.counts["training"].values()) == sum(folded.counts["validation"].values()) == development


def test_the_test_images_are_scored_once_by_the_folds_mean(store, folded):
    assert [look.run for look in store.ledger.looks()].count(folded.run_id) == 1
    run = store.client.get_run(folded.run_id)
    model = pneumobench.training.predictor.load(store.model_folder(run))[0]
    assert len(model.members) == 3
    assert run.data.metrics["test_auroc"] == pytest.approx(folded.test["auroc"].value)
    assert len(table(store, folded.run_id, "test")["label"]) == 40


def test_folds_work_for_an_estimator_and_an_ensemble(store, phantom_folder):
    for name in ("thumbnail", "pair"):
        result = pneumobench.run(name, data=phantom_folder, tracking_uri=store.uri, folds=2, test=False)
        assert result.folds == 2
        assert 0 <= result.validation["auroc"].value <= 1


def test_folds_and_seeds_exclude_each_other(store, phantom_folder):
    with pytest.raises(UsageError, match="--folds 3 trains one seed 3 times"):
        pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, folds=3, seeds=2)
    with pytest.raises(UsageError, match="--folds is at least 2, not 1"):
        pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, folds=1)


def test_an_ensemble_is_a_value_that_can_be_replaced():
    from dataclasses import replace

    pair = registry.load("pair")
    assert replace(pair, members=("tiny",)).members == ("tiny",)
    assert replace(pair, check={"members": ("tiny",)}).defaults == {"tiny.width": 5}
    with pytest.raises(UsageError, match="at least one member"):
        pneumobench.Ensemble()
