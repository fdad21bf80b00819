"""Calibrated runs: fitted on validation or out of fold, saved inside the model, and told before and after."""

import numpy as np
import pytest

import pneumobench
from pneumobench.data.decode import as_batch, decode
from pneumobench.evaluation import calibrator
from pneumobench.experiment import predict
from pneumobench.tracking.runs import experiments, of_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plain(store, phantom_folder):
    pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri)
    return next(run for run in of_store(store) if run.plugin == "thumbnail")


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
def test_the_model_serves_what_was_calibrated_on_validation(kind, plain, store, phantom_folder):
    result = pneumobench.run("thumbnail", calibrate=kind, data=phantom_folder, tracking_uri=store.uri)
    (run,) = [one for one in of_store(store) if one.run_id == result.run_id]
    held_out, test = plain.predictions("validation"), plain.predictions("test")
    expected = calibrator.fit(kind, held_out.label, held_out.probability)
    np.testing.assert_allclose(run.predictions("validation").probability, expected(held_out.probability), atol=1e-6)
    np.testing.assert_allclose(run.predictions("test").probability, expected(test.probability), atol=1e-6)

    served = predict.find(store, run.run_id).served
    image = phantom_folder / str(test.image[0])
    once = served.predict(as_batch(decode(image, served.predictor.view)[None], served.predictor.view))
    assert once[0] == pytest.approx(run.predictions("test").probability[0], abs=1e-5)

    metrics = run.metrics
    assert metrics["test_ece_uncalibrated"] == pytest.approx(plain.metrics["test_ece"], abs=1e-6)
    assert metrics["test_brier_uncalibrated"] == pytest.approx(plain.metrics["test_brier"], abs=1e-6)
    assert metrics["test_ece"] == result.calibration.after["test"]["ece"].value
    assert "validation_brier_uncalibrated" in metrics
    assert any("test images: ECE" in line for line in result.remarks())
    assert {"thumbnail", f"thumbnail (calibrated by {kind})"} <= {one.name for one in experiments(of_store(store))}


def test_with_folds_it_is_fitted_out_of_fold_and_seeds_each_have_their_own(store, phantom_folder):
    same = {"data": phantom_folder, "tracking_uri": store.uri}
    plain = pneumobench.run("thumbnail", folds=3, test=False, **same)
    result = pneumobench.run("thumbnail", folds=3, test=False, calibrate="temperature", **same)
    assert set(result.calibration.before) == {"validation"}
    by_id = {run.run_id: run for run in of_store(store)}
    before, after = (by_id[one.run_id].predictions("validation") for one in (plain, result))
    expected = calibrator.fit("temperature", before.label, before.probability)
    np.testing.assert_allclose(after.probability, expected(before.probability), atol=1e-6)
    assert result.calibration.temperatures == (pytest.approx(expected.temperature),)

    seeds = pneumobench.run("thumbnail", seeds=2, calibrate="temperature", **same)
    assert len(seeds.calibration.temperatures) == 2
    assert seeds.calibration.before["test"]["ece"].sd is not None
