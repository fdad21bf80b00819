"""A run that is trained again: the same figures, from the plugin's source of that time."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import pneumobench
from pneumobench.authoring import registry
from pneumobench.errors import DataError, UsageError
from pneumobench.experiment.repeated import Figure, margin
from pneumobench.experiment.rerun import rerun
from pneumobench.tracking.store import Store

EXAMPLES = Path(__file__).parents[1] / "example_plugins"


def test_a_margin_holds_for_95_percent_of_pairs():
    """By simulation: seeds' values are normal; the margin comes from five of them, the pair are two others."""
    random = np.random.default_rng(0)
    inside = [
        abs(random.normal(0.9, 0.02) - random.normal(0.9, 0.02)) <= margin(random.normal(0.9, 0.02, 5), 1)
        for _ in range(4000)
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)
    assert margin([0.9], 1) is None


def test_a_verdict_says_how_far_seeds_are_apart():
    assert Figure("test_auroc", 0.9, 0.9, None).verdict == "identical"
    assert Figure("test_auroc", 0.9, 0.91, 0.02).verdict == "the same within 0.0200"
    assert Figure("test_auroc", 0.9, 0.95, 0.02).verdict == "differs by more than 0.0200"
    assert Figure("test_auroc", 0.9, 0.95, None).is_same is None


@pytest.mark.slow
def test_a_run_is_trained_again_with_the_source_of_its_time(tmp_path, phantom_folder, new_store, monkeypatch):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    file = Path(shutil.copy(EXAMPLES / "tiny.py", plugins / "of_its_time.py"))
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(plugins))
    store = Store(new_store(tmp_path / "runs"))
    options = {"data": phantom_folder, "tracking_uri": store.uri}
    first = pneumobench.run("of_its_time", {"width": "6"}, seeds=2, **options)
    environment = json.loads(store.file(first.run_id, "settings/environment.json").read_text())
    assert environment["packages"]["keras"] == sys.modules["keras"].__version__

    source = file.read_text()
    file.write_text(source.replace("relu", "tanh"))
    sys.modules.pop("pneumobench_folder_plugins.of_its_time")
    assert source != file.read_text()
    again = rerun(first.runs[1].run_id[:8], tracking_uri=store.uri)
    assert again.largest == 0
    assert {figure.metric: figure.verdict for figure in again.figures}["test_auroc"] == "identical"
    assert (again.seeds, again.before) == (2, first.run_id)
    assert again.differences == ("plugin 'of_its_time' has changed since: its source is that of the run",)
    tags = store.run(again.now).data.tags
    assert (tags["rerun_of"], tags["seed"]) == (first.runs[1].run_id, "1")
    assert tags["plugin_digest"] == store.run(first.run_id).data.tags["plugin_digest"]
    registry.load("of_its_time")
    assert sys.modules["pneumobench_folder_plugins.of_its_time"].__file__ == str(file), (
        "the changed file is the plugin again"
    )

    elsewhere = tmp_path / "others"
    shutil.copytree(phantom_folder, elsewhere)
    next(iter((elsewhere / "test" / "NORMAL").iterdir())).unlink()
    with pytest.raises(DataError, match="--data names others"):
        rerun(first.run_id, data=elsewhere, tracking_uri=store.uri)
    with pytest.raises(UsageError, match="no finished run begins"):
        rerun("0123456789", tracking_uri=store.uri)
