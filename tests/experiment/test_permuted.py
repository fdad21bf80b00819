"""Trainings on permuted labels: chance on the test images, marked, and never compared."""

import numpy as np
import pytest

import pneumobench
from pneumobench.comparison.compare import compare
from pneumobench.errors import UsageError
from pneumobench.experiment import predict
from pneumobench.tracking.runs import experiments, of_store

pytestmark = pytest.mark.slow


def test_their_figures_scatter_around_chance_and_stand_apart(store, phantom_folder):
    same = {"data": phantom_folder, "tracking_uri": store.uri}
    real = pneumobench.run("thumbnail", **same)
    pneumobench.run("thumbnail", {"C": 0.01}, **same)
    permuted = pneumobench.run("thumbnail", seeds=10, permute_labels=True, **same)
    areas = [run.test["auroc"].value for run in permuted.runs]
    assert len(set(areas)) > 5, "each seed has a permutation of its own"
    assert abs(np.mean(areas) - 0.5) < 0.15
    assert np.mean(areas) < real.test["auroc"].value
    assert any("permuted" in note for note in permuted.notes)

    grouped = experiments(of_store(store))
    assert sorted(len(one.runs) for one in grouped) == [1, 1, 10]
    assert "thumbnail (permuted labels)" in {one.name for one in grouped}
    one = next(run.run_id for run in of_store(store) if run.params["C"] == "0.01")
    compared = compare(of_store(store), [one], against=real.run_id, resamples=300)
    assert [len(standing.experiment.runs) for standing in compared.standings] == [1, 1]
    (sentence,) = compared.permuted
    higher = sum(area >= real.test["auroc"].value for area in areas)
    assert f"of which {higher} are as high" in sentence
    with pytest.raises(UsageError, match="trained on permuted labels"):
        compare(of_store(store), [permuted.run_id], against=real.run_id)
    with pytest.raises(UsageError, match="can be no champion"):
        predict.set_champion(store, permuted.runs[0].run_id)
    with pytest.raises(UsageError, match="may be judged"):
        pneumobench.external(permuted.run_id, phantom_folder, site="x", tracking_uri=store.uri)
