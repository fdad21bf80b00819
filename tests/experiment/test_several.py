"""Several plugins in one call: trained, scored in one look, reused by the next call, completed if cut off."""

import pytest

from pneumobench.data.options import DataOptions
from pneumobench.errors import TrainingError
from pneumobench.experiment import finish, run, under_way
from pneumobench.experiment.request import Request
from pneumobench.experiment.run import run_requests
from pneumobench.tracking.runs import experiments, of_store
from pneumobench.tracking.store import Store
from pneumobench.training.options import TrainOptions
from pneumobench.utils.progress import Progress

pytestmark = pytest.mark.slow


class Said(Progress):
    def __init__(self):
        self.lines = []

    def fact(self, text):
        self.lines.append(text)

    def note(self, text, kind="note"):
        self.lines.append(text)


class Place:
    """A store, and the calls that use it."""

    def __init__(self, uri, data):
        self.store, self.data = Store(uri), data

    def __call__(self, *plugins, knobs=None, progress=None, test=True, again=False, **train):
        requests = [Request(plugin, (knobs or {}).get(plugin, {})) for plugin in plugins]
        options = {"test": test, "again": again, "tracking_uri": self.store.uri, "progress": progress}
        return run_requests(requests, DataOptions(data=self.data), TrainOptions(**train), **options)

    def status(self, **tags):
        return {run.info.run_id: run.info.status for run in self.store.tagged(tags)}

    @property
    def looks(self):
        return self.store.ledger.looks()


@pytest.fixture
def place(tmp_path, new_store, phantom_folder):
    return Place(new_store(tmp_path / "runs"), phantom_folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory, new_store, phantom_folder):
    """Two plugins with two seeds each."""
    place = Place(new_store(tmp_path_factory.mktemp("several")), phantom_folder)
    return place, place("thumbnail", "tiny", seeds=2)


@pytest.fixture
def no_training(monkeypatch):
    """Makes training fail."""

    def refuse(*_, **__):
        raise AssertionError("it is trained again")

    monkeypatch.setattr(under_way, "fit", refuse)


def test_all_plugins_are_scored_in_one_look(done):
    place, outcome = done
    assert [result.plugin for result in outcome.results] == ["thumbnail", "tiny"]
    assert outcome.failed == ()
    assert [len(result.runs) for result in outcome.results] == [2, 2]
    (look,) = place.looks
    assert look.plugin == "thumbnail, tiny"
    assert look.run == ",".join(result.run_id for result in outcome.results)
    assert look.trainings.split(",") == [one.run_id for result in outcome.results for one in result.runs]
    assert set(place.status().values()) == {"FINISHED"}


def test_what_is_tracked_is_reused_and_said(done, no_training):
    place, outcome = done
    said = Said()
    before = place.status()
    again = place("thumbnail", "tiny", seeds=2, progress=said)
    assert repr([one.test for one in again.results]) == repr([one.test for one in outcome.results])
    assert repr([one.validation for one in again.results]) == repr([one.validation for one in outcome.results])
    assert [one.run_id for one in again.results] == [one.run_id for one in outcome.results]
    assert place.status() == before
    assert len(place.looks) == 1
    reused = [line for line in said.lines if "reused" in line]
    assert reused[0].startswith("thumbnail, seeds 0, 1: scored before, reused (run ")


def test_one_seed_of_several_is_reused_alone(done, no_training):
    place, outcome = done
    (one,) = place("tiny", seed=1).results
    assert one.seeds == [1]
    assert repr(one.test) == repr(outcome.results[1].runs[1].test)
    assert one.run_id == outcome.results[1].run_id


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"epochs": 1}, {"operating_point": "0.5"}, {"calibrate": "temperature"}, {"again": True}],
)
def test_what_differs_is_trained(done, change):
    place, _ = done
    failed = place("tiny", test=False, **change).failed
    assert "it is trained again" in str(failed[0])


def test_a_new_seed_joins_the_others_and_is_marked_as_added_after_the_look(place):
    first = place("thumbnail", seeds=2).results[0]
    second = place("thumbnail", seeds=3).results[0]
    assert second.run_id == first.run_id
    assert second.seeds == [0, 1, 2]
    assert [one.run_id for one in second.runs][:2] == [one.run_id for one in first.runs]
    parent = place.store.run(first.run_id)
    assert parent.data.tags["seeds"] == "0,1,2"
    assert parent.data.metrics["test_auroc_sd"] == second.test["auroc"].sd
    (experiment,) = experiments(of_store(place.store))
    assert [one.seed for one in experiment.after_look] == [2]
    assert [one.looks for one in experiment.runs] == [0, 0, 1], "each by the look that scored it"
    assert len(place.looks) == 2
    assert place.looks[1].trainings == second.runs[2].run_id


def test_a_single_run_becomes_the_first_seed_of_several(place):
    alone = place("thumbnail").results[0]
    both = place("thumbnail", seeds=2).results[0]
    assert both.runs[0].run_id == alone.run_id
    assert place.store.run(alone.run_id).data.tags["mlflow.parentRunId"] == both.run_id
    third = place("thumbnail", seed=2).results[0]
    assert third.run_id == both.run_id
    assert third.seeds == [0, 1, 2]


def test_the_test_images_are_opened_later_for_what_was_trained(place, monkeypatch):
    closed = place("thumbnail", "tiny", test=False)
    assert [one.test for one in closed.results] == [None, None]
    assert place.looks == []
    monkeypatch.setattr(under_way, "fit", None)
    opened = place("thumbnail", "tiny")
    assert [one.run_id for one in opened.results] == [one.run_id for one in closed.results]
    assert all(one.test for one in opened.results)
    assert len(place.looks) == 1


def test_a_training_that_fails_costs_the_others_nothing(place, monkeypatch):
    said = Said()
    outcome = place("unlucky", "thumbnail", seeds=2, progress=said)
    assert [one.plugin for one in outcome.results] == ["thumbnail"]
    assert [failure.name for failure in outcome.failed] == ["unlucky, seed 1"]
    assert isinstance(outcome.failed[0].error, TrainingError)
    status = {run.data.tags.get("seed", "parent"): run.info.status for run in place.store.tagged({"plugin": "unlucky"})}
    assert status == {"0": "FINISHED", "1": "FAILED", "parent": "FAILED"}
    assert [look.plugin for look in place.looks] == ["thumbnail"], "what is not whole is not scored"
    # with its cause gone, the same call trains the one that is missing, in its run
    before = place.status(plugin="unlucky").keys()
    import pneumobench_folder_plugins.unlucky as module

    monkeypatch.setattr(module, "resample", module.resample)
    monkeypatch.setattr(module, "unlucky", {"now": False}, raising=True)
    monkeypatch.setitem(module.unlucky, "now", False)
    place("unlucky", "thumbnail", seeds=1)
    assert place.status(plugin="unlucky").keys() == before


@pytest.mark.parametrize("moment", ["open_test", "finish"])
def test_a_call_that_was_cut_off_before_scoring_is_completed(place, monkeypatch, moment):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, moment, interrupt)
        with pytest.raises(KeyboardInterrupt):
            place("thumbnail", "tiny", seeds=2)
    before = place.status()
    assert set(place.status(kind="seeds").values()) == {"KILLED"}
    assert set(place.status(kind="seed").values()) == {"FINISHED"}
    monkeypatch.setattr(under_way, "fit", None)
    outcome = place("thumbnail", "tiny", seeds=2)
    assert place.status() == dict.fromkeys(before, "FINISHED"), "the same runs"
    assert all(one.test for one in outcome.results)
    assert len(place.looks) == 1, "a look that was cut off is no second one"


def test_a_look_that_was_cut_off_in_the_middle_is_one_look(place, monkeypatch):
    whole = finish.score

    def interrupt(one, opened):
        if one.context.name == "tiny":
            raise KeyboardInterrupt
        return whole(one, opened)

    with monkeypatch.context() as patch:
        patch.setattr(finish, "score", interrupt)
        with pytest.raises(KeyboardInterrupt):
            place("thumbnail", "tiny")
    assert set(place.status(plugin="thumbnail").values()) == {"FINISHED"}
    assert set(place.status(plugin="tiny").values()) == {"KILLED"}
    monkeypatch.setattr(under_way, "fit", None)
    outcome = place("thumbnail", "tiny")
    assert set(place.status().values()) == {"FINISHED"}
    assert [one.looks for one in outcome.results] == [0, 0]
    assert len(place.looks) == 1


def test_a_plugin_that_cannot_be_built_costs_the_others_nothing(place):
    outcome = place("transfer", "thumbnail", knobs={"transfer": {"weights": "missing.weights.h5"}})
    assert [one.plugin for one in outcome.results] == ["thumbnail"]
    (failure,) = outcome.failed
    assert failure.name == "transfer, seed 0"
    assert "missing.weights.h5" in str(failure)
    assert {run.data.tags["plugin"] for run in place.store.tagged({})} == {"thumbnail"}


def test_folds_and_an_ensemble_are_completed_too(place, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "open_test", interrupt)
        with pytest.raises(KeyboardInterrupt):
            place("pair", "thumbnail", folds=2)
    before = place.status()
    monkeypatch.setattr(under_way, "fit", None)
    outcome = place("pair", "thumbnail", folds=2)
    assert [one.folds for one in outcome.results] == [2, 2]
    assert all(one.test for one in outcome.results)
    assert place.status() == dict.fromkeys(before, "FINISHED")


def test_an_ensembles_member_that_is_asked_for_too_is_trained_once(place):
    place("pair", "thumbnail", "tiny", knobs={"tiny": {"width": 5}})
    assert {kind: len(place.status(plugin=kind)) for kind in ("pair", "thumbnail", "tiny")} == {
        "pair": 1,
        "thumbnail": 1,
        "tiny": 1,
    }


def test_a_calibrated_seed_is_reused_with_what_it_was_before(place):
    first = place("thumbnail", seeds=2, calibrate="temperature").results[0]
    again = place("thumbnail", seeds=2, calibrate="temperature").results[0]
    assert first.calibration is not None
    assert repr(again.calibration) == repr(first.calibration)
