"""A training on two hospitals' images, and what is said of each."""

import pytest

import pneumobench
from pneumobench.data.layouts import phantom
from pneumobench.data.layouts.phantom import Phantom
from pneumobench.tracking import export
from pneumobench.tracking.runs import of_store


@pytest.mark.slow
def test_two_sites_are_trained_on_together_and_reported_one_by_one(store, tmp_path):
    folders = []
    for seed, name in enumerate(("north", "south")):
        folder = phantom.ensure(Phantom((24, 40), (8, 12), 32, seed=seed), tmp_path).rename(tmp_path / name)
        (folder / "phantom.json").unlink()
        folders.append(str(folder))
    result = pneumobench.run("tiny", data=folders, tracking_uri=store.uri, epochs=1)
    assert result.dataset == "north+south"
    assert set(result.sites) == {"north", "south"}
    assert result.sites["north"]["auroc"].value != result.sites["south"]["auroc"].value
    run = next(run for run in of_store(store) if run.run_id == result.run_id)
    (again,) = export.read(export.write(run, tmp_path / "exported").parent)
    predictions = again.predictions("test")
    for name in folders:
        site = name.rpartition("/")[2]
        assert (predictions.columns["site"] == site).sum() == 20
        mean = predictions.take(predictions.columns["site"] == site)
        assert len(mean) == 20
