"""A study that trains each trial with several seeds, and one with several objectives."""

import numpy as np
import pytest

import pneumobench
from pneumobench.errors import UsageError
from pneumobench.search.best import best
from pneumobench.search.outcome import remarks
from pneumobench.search.storage import Storage
from pneumobench.search.trials import FINISHED, RUN, Trials
from pneumobench.tracking.store import Store
from pneumobench.utils.progress import Progress

pytestmark = pytest.mark.slow


class Notes(Progress):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def search(tmp_path, phantom_folder, new_store, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store, storage = Store(new_store(tmp_path / "runs")), f"sqlite:///{tmp_path / 'studies.db'}"

    def run(file, **options):
        notes = Notes()
        places = {"storage": storage, "tracking_uri": store.uri, "data": phantom_folder, "progress": notes}
        outcome = pneumobench.study(file, **places, **options)
        return outcome, Trials(Storage(storage), outcome.summary.name), store, notes.notes

    return run


def test_a_trial_s_value_is_the_mean_over_its_seeds(search):
    outcome, trials, store, _ = search("quick", trials=3, repeats=2, seed=4)
    for trial in trials.all(*FINISHED):
        metrics = store.run(trial.user_attrs[RUN]).data.metrics
        each = [metrics[f"val_auroc_seed_{seed}"] for seed in (4, 5)]
        assert trial.value == pytest.approx(np.mean(each))
        assert metrics["val_auroc_sd"] == pytest.approx(np.std(each, ddof=1))
        for file in ("validation", "validation_2"):
            assert store.file(trial.user_attrs[RUN], f"predictions/{file}.parquet").exists()
    assert all(one.ties is not None for one in outcome.summary.best)
    assert any("the mean over 2 seeds" in line for line in remarks(outcome.summary))
    assert best("quick", "knobby", trials.storage.url).seed == 5, "a later training takes a seed that chose nothing"
    with pytest.raises(UsageError, match="repeats: 2 there, none here"):
        search("quick", trials=4, seed=4)
    with pytest.raises(UsageError, match="--repeats is at least 1, not 0"):
        search("quick", trials=4, repeats=0)


def test_several_objectives_have_a_front_and_no_pruning(search):
    outcome, trials, store, notes = search("pareto", trials=4)
    assert "pruning is off: there are several objectives, val_auroc, seconds" in notes
    values = {trial.number: trial.values for trial in trials.all(*FINISHED)}
    assert len(values) == 4
    front = [
        number
        for number, (auroc, seconds) in values.items()
        if not any(a >= auroc and s <= seconds and (a, s) != (auroc, seconds) for a, s in values.values())
    ]
    summary = outcome.summary
    assert sorted(summary.pareto) == sorted(front)
    assert (summary.metric, summary.others) == ("val_auroc", ("seconds",))
    assert summary.best[0].value == max(auroc for auroc, _ in values.values())
    for trial in trials.all(*FINISHED):
        metrics = store.run(trial.user_attrs[RUN]).data.metrics
        assert trial.values == pytest.approx([metrics["val_auroc"], metrics["training_seconds"]])
    assert (outcome.folder / "pareto.png").stat().st_size > 1000
    assert any(line.startswith("No other trial beats these") for line in remarks(summary))


def test_a_metric_of_the_call_is_the_only_objective(search):
    outcome, trials, _, notes = search("pareto", trials=1, metric="val_auroc", name="single")
    assert (outcome.summary.others, outcome.summary.pareto) == ((), ())
    assert len(trials.all(*FINISHED)[0].values) == 1
    assert not any(note.startswith("pruning is off") for note in notes)
