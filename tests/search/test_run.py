"""Studies from the command line, with real workers and stores, some of them killed."""

import json
import os
import signal
import time
from collections import Counter

import pytest
from optuna.trial import TrialState

import pneumobench
from pneumobench.errors import DataError, TrainingError
from pneumobench.search.endings import ERROR, FIRST
from pneumobench.search.outcome import remarks
from pneumobench.search.trials import FINISHED, PROCESS, RUN
from pneumobench.tracking.store import Store

pytestmark = pytest.mark.slow
PATIENCE = 240  # seconds that a test waits for what should happen in a few


@pytest.fixture(scope="module")
def quick(tmp_path_factory, phantom_folder, a_place):
    """A study of six trials, resumed after four; and the output of its second call."""
    place = a_place(tmp_path_factory.mktemp("quick"), phantom_folder)
    first = place.run("study", "quick", "--trials", "4")
    assert first.returncode == 0, first.stderr
    second = place.run("study", "quick", "--trials", "6", "--json")
    assert second.returncode == 0, second.stderr
    return place, json.loads(second.stdout)


def test_a_study_has_the_requested_trials_however_often_it_was_resumed(quick):
    place, summary = quick
    trials = place.agreed("quick")
    assert Counter(t.state.name for t in trials.all()) == {"COMPLETE": 6}
    assert summary["states"]["complete"] == summary["target"] == 6
    values = [one["value"] for one in summary["best"]]
    assert values == sorted(values, reverse=True)
    place.study("quick", trials=5)  # it holds more already
    assert len(place.trials("quick").all()) == 6


def test_the_same_seed_gives_the_same_trials_stopped_or_not(quick, place):
    place.study("quick", trials=6, keep_models=None)

    def seen(where):
        return [(t.params, t.value) for t in where.trials("quick").all()]

    assert seen(place) == seen(quick[0])
    kept = Store(place.uri).children(place.trials("quick").study.user_attrs["mlflow_run"], {"model_kept": "yes"})
    assert len(kept) == 6


def test_a_trial_is_one_run_below_the_study_s(quick):
    place, _ = quick
    trials, store = place.trials("quick"), Store(place.uri)
    best = trials.best()[0]
    run = store.run(best.user_attrs[RUN])
    assert run.data.tags["mlflow.parentRunId"] == trials.study.user_attrs["mlflow_run"]
    assert (run.data.tags["kind"], run.data.tags["plugin"], run.data.tags["trial"]) == (
        "trial",
        "knobby",
        str(best.number),
    )
    assert float(run.data.params["C"]) == pytest.approx(best.params["knobby.C"])
    assert run.data.metrics["val_auroc"] == pytest.approx(best.value)
    assert store.file(best.user_attrs[RUN], "predictions/validation.parquet").is_file()


def test_models_are_kept_of_the_best_three_alone(quick):
    place, _ = quick
    trials, store = place.trials("quick"), Store(place.uri)
    parent = trials.study.user_attrs["mlflow_run"]
    kept = {int(run.data.tags["trial"]) for run in store.children(parent, {"model_kept": "yes"})}
    assert kept == {trial.number for trial in trials.best(3)}
    folders = [path.parent for path in (place.folder / "runs" / "artifacts").rglob("MLmodel")]
    assert len(folders) == 3


def test_the_summary_is_drawn_and_tracked(quick):
    place, summary = quick
    folder = place.folder / "runs" / "studies" / "quick" / "summary"
    assert {"history.png", "importances_knobby.png", "parallel_knobby.png"} <= {p.name for p in folder.iterdir()}
    store = Store(place.uri)
    parent = place.trials("quick").study.user_attrs["mlflow_run"]
    assert store.file(parent, "summary.json").is_file()
    assert store.run(parent).data.metrics["best_val_auroc"] == pytest.approx(summary["best"][0]["value"])
    assert store.run(parent).data.metrics["seconds_searching"] > 0


def test_a_study_can_be_listed_and_shown(quick, cli):
    place, _ = quick
    shown = cli("study", "show", "quick", "--storage", place.storage, "--tracking-uri", place.uri, "--json")
    assert json.loads(shown.stdout)["states"]["complete"] == 6
    listed = cli("study", "list", "--storage", place.storage)
    assert "quick" in listed.stdout
    assert "ablation" in listed.stdout


def test_a_study_with_another_budget_is_refused_and_says_what_differs(quick, cli):
    place, _ = quick
    words = ("study", "quick", "--trials", "7", "--metric", "val_log_loss", "--data", str(place.data))
    refused = cli(*words, "--storage", place.storage, "--tracking-uri", place.uri)
    assert refused.returncode == 2
    assert "metric: val_auroc there, val_log_loss here" in refused.stderr.splitlines()[-1]
    assert len(place.trials("quick").all()) == 6


def test_the_best_knobs_are_trained_on_seeds_that_the_study_did_not_use(quick, cli):
    place, _ = quick
    best = place.trials("quick").best()[0]
    words = ("run", "knobby", "--from-study", "quick", "--seeds", "2", "--json", "--data", str(place.data))
    done = cli(*words, "--storage", place.storage, "--tracking-uri", place.uri)
    result = json.loads(done.stdout)
    assert result["seeds"] == [1, 2]
    assert result["knobs"]["C"] == pytest.approx(best.params["knobby.C"])
    tags = Store(place.uri).run(result["run_id"]).data.tags
    assert (tags["from_study"], tags["trials_spent"]) == ("quick", "6")
    assert len(Store(place.uri).ledger.looks()) == 1


def test_failing_trials_end_the_study_and_what_they_share_is_reported(place):
    with pytest.raises(TrainingError) as stopped:
        place.study("quick", trials=20, knobs={"knobby.fail": "always"})
    assert "10 trials failed in a row: ValueError: it was told to fail: always" in str(stopped.value)
    assert "plugin = knobby" in str(stopped.value)
    assert stopped.value.exit_code == 1
    trials = place.trials("quick")
    assert Counter(t.state.name for t in trials.all())["FAIL"] == 10
    runs = Store(place.uri).children(trials.study.user_attrs["mlflow_run"], {"state": "fail"})
    assert {run.info.status for run in runs} == {"FAILED"}
    assert len(runs) == 10


def test_a_temporary_failure_is_retried(place):
    place.study("quick", trials=2, knobs={"knobby.once": f"{place.folder}/flag"})
    trials = place.agreed("quick")
    (failed,) = trials.all(TrialState.FAIL)
    again = next(t for t in trials.all(*FINISHED) if t.user_attrs.get(FIRST) == failed.number)
    assert again.params == failed.params


def test_a_worker_that_uses_too_much_memory_is_replaced_while_the_study_runs(place, monkeypatch):
    monkeypatch.setattr("pneumobench.execution.supervisor.GROWTH", -(10**12))  # each has grown too large at once
    outcome = place.study("quick", trials=6, knobs={"knobby.seconds": "2"})
    assert outcome.replaced >= 1
    trials = place.agreed("quick").all(TrialState.COMPLETE)
    assert len(trials) == 6
    workers = {trial.user_attrs[PROCESS]["pid"] for trial in trials}
    assert 2 <= len(workers) <= outcome.replaced + 1  # the last one may have come too late for a trial


def test_a_finished_grid_ends_early_and_says_so(place):
    summary = place.study("grid", trials=50).summary
    assert summary.exhausted
    assert "Ended early: there are fewer combinations" in " ".join(remarks(summary))
    assert len(place.agreed("grid").all(TrialState.COMPLETE)) == 5


def test_trials_cannot_see_the_test_images(tmp_path, copy, a_place):
    for path in (copy / "test").rglob("*.*"):
        path.write_bytes(os.urandom(300))
    place = a_place(tmp_path, copy)
    place.study("quick", trials=1)
    with pytest.raises(DataError, match="test"):
        pneumobench.run("thumbnail", data=copy, tracking_uri=place.uri)


def test_bad_trials_are_stopped_early(place):
    place.study("pruning", trials=7)
    trials = place.agreed("pruning")
    bad = [t for t in trials.all() if t.number >= 4]
    assert {t.state for t in bad} == {TrialState.PRUNED}
    assert sum(t.last_step or 0 for t in bad) <= 2 * len(bad)  # of twelve epochs each
    assert all(t.last_step == 12 for t in trials.all(TrialState.COMPLETE))


def test_killed_workers_and_a_killed_study_lose_no_finished_trial(place):
    study = place.start("study", "waiting", "--trials", "3", "--workers", "2")
    first, second = place.wait_for_epochs(study, "waiting", 2)
    os.kill(int(first.user_attrs[PROCESS]["pid"]), signal.SIGKILL)
    place.let(1)
    ends = time.monotonic() + PATIENCE
    while len(place.trials("waiting").all(*FINISHED)) < 1 and time.monotonic() < ends:
        time.sleep(0.2)
    finished = {t.number: t.value for t in place.trials("waiting").all(*FINISHED)}
    assert list(finished) == [second.number]
    running = place.wait_for_epochs(study, "waiting", 1)
    os.killpg(study.pid, signal.SIGKILL)
    study.wait()

    place.let(3)
    done = place.run("study", "waiting", "--trials", "3", "--workers", "2")
    assert done.returncode == 0, done.stderr
    trials = place.agreed("waiting")
    assert finished.items() <= {t.number: t.value for t in trials.all(*FINISHED)}.items()
    assert len(trials.all(*FINISHED)) == 3
    assert trials.all(TrialState.FAIL) == []
    resumed = {t.number: t for t in trials.all(*FINISHED)}
    assert {first.number, *(t.number for t in running)} <= set(resumed), "each under its own number"
    assert resumed[first.number].user_attrs[ERROR] == "the process was killed"
    assert resumed[first.number].params == first.params
    assert len(trials.all()) == 3
    assert len({str(t.params) for t in trials.all(*FINISHED)}) >= 2


def test_ctrl_c_leaves_nothing_running_and_the_trial_is_resumed_under_its_number(place):
    study = place.start("study", "waiting", "--trials", "1", "--checkpoint-every", "0")
    (running,) = place.wait_for_epochs(study, "waiting")
    os.killpg(study.pid, signal.SIGINT)
    assert study.wait(60) == 130
    trials = place.trials("waiting")
    (waiting,) = trials.all()
    assert (waiting.state, waiting.user_attrs[ERROR]) == (TrialState.WAITING, "interrupted")
    assert waiting.params == running.params
    store = Store(place.uri)
    parent = store.run(trials.study.user_attrs["mlflow_run"])
    assert parent.info.status == "KILLED"
    (run,) = store.children(parent.info.run_id, {"study": "waiting"})
    assert run.info.status == "KILLED"
    assert len(list((place.folder / "runs" / "checkpoints").glob("*/*.npz"))) == 1, "of its first epoch"

    place.let(1)
    done = place.run("study", "waiting", "--trials", "1")
    assert done.returncode == 0, done.stderr
    (complete,) = place.agreed("waiting").all()
    assert (complete.number, complete.state) == (waiting.number, TrialState.COMPLETE)
    (resumed,) = store.children(parent.info.run_id, {"study": "waiting"})
    assert resumed.info.run_id == run.info.run_id
    assert "error" not in resumed.data.tags
    steps = [metric.step for metric in store.client.get_metric_history(run.info.run_id, "loss")]
    assert sorted(steps) == [1, 2]
    assert list((place.folder / "runs" / "checkpoints").iterdir()) == []
