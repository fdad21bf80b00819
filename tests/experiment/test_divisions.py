"""Several divisions of the images: trained on alike, scored in one look, one experiment."""

import pytest

import pneumobench
from pneumobench.errors import UsageError
from pneumobench.tracking.runs import experiments, of_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def result(store, phantom_folder):
    return pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri, seeds=2, split_seeds=3)


def test_every_seed_is_trained_on_every_division(result, store):
    assert [(run.seed, run.split_seed) for run in result.runs] == [(s, d) for d in (0, 1, 2) for s in (0, 1)]
    assert result.test["auroc"].sd > 0
    assert result.test["auroc"].low < result.test["auroc"].value < result.test["auroc"].high
    children = store.children(result.run_id, {"kind": "seed"})
    assert len({run.data.tags["split_digest"] for run in children}) == 3
    assert store.client.get_run(result.run_id).data.tags["split_seed"] == "0,1,2"


def test_they_are_one_experiment_and_one_look(result, store):
    (experiment,) = experiments(of_store(store))
    assert experiment.name == "thumbnail (split_seed 0, 1, 2)"
    assert len(experiment.runs) == 6
    assert len(store.ledger.looks()) == 1


def test_validation_has_a_spread_and_no_interval(result):
    auroc = result.validation["auroc"]
    assert auroc.sd > 0
    assert auroc.low != auroc.low


def test_two_plugins_on_the_same_divisions_are_compared(result, store, phantom_folder, cli):
    pneumobench.run("thumbnail", {"C": 0.01}, phantom_folder, tracking_uri=store.uri, seeds=2, split_seeds=3)
    ids = [one.runs[0].parent for one in experiments(of_store(store))]
    done = cli("compare", *ids, "--against", ids[0], "--tracking-uri", store.uri)
    assert done.returncode == 0, done.stderr
    assert "split seeds 0, 1, 2" in done.stdout


def test_folds_and_divisions_exclude_each_other(store, phantom_folder):
    with pytest.raises(UsageError, match="--folds divides the images itself"):
        pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri, folds=2, split_seeds=2)
