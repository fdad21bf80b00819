"""Stress: one look, the same altered pixels for all, figures that stay with the runs, and what is told of controls."""

import json

import numpy as np
import pytest

import pneumobench
from pneumobench.comparison import card, checklist, facts
from pneumobench.comparison.stress import stress
from pneumobench.comparison.stress_figures import grey_alone, without_lungs
from pneumobench.errors import UsageError
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.metrics import point_of_probabilities
from pneumobench.evaluation.words import number
from pneumobench.tracking import export, stressed
from pneumobench.tracking.runs import of_store
from pneumobench.training import alterations, altered

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(store, phantom_folder):
    several = pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri, seeds=2)
    return several, pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri)


@pytest.fixture(scope="module")
def result(store, trained, phantom_folder):
    looks = len(store.ledger.looks())
    found = stress([one.run_id for one in trained], phantom_folder, tracking_uri=store.uri)
    assert len(store.ledger.looks()) == looks + 1, "one look for all models and alterations"
    return found


def test_every_figure_is_that_of_the_predictions_that_stay_with_the_run(store, trained, result):
    assert result.images == 40
    assert result.looks == trained[1].looks + 1
    runs = {run.run_id: run for run in of_store(store)}
    (tiny,) = [one for one in result.standings if one.name == "tiny"]
    altered_ = stressed.read(runs[tiny.run_ids[0]])
    assert set(altered_) == {"as it is", *(f"{k} {s}" for k in alterations.CORRUPTIONS for s in (1, 2, 3))} | {
        *alterations.CONTROLS
    }
    motion = [altered_[f"motion {s}"] for s in (1, 2, 3)]
    areas = [point_of_probabilities(one.label, one.probability)["auroc"] for one in motion]
    assert tiny.auroc["motion"] == pytest.approx(np.mean(areas))
    assert tiny.mean.value == pytest.approx(np.mean(list(tiny.by_severity.values())))
    assert tiny.mean.low < tiny.mean.value < tiny.mean.high or tiny.mean.value == tiny.mean.high
    metrics = store.run(tiny.run_ids[0]).data.metrics
    assert metrics["stress_test_motion_auroc"] == pytest.approx(tiny.auroc["motion"])
    assert metrics["stress_test_control_centre_hidden_auroc"] == pytest.approx(tiny.controls["centre hidden"].value)


def test_several_seeds_are_a_mean_and_each_has_its_own(store, trained, result):
    (several,) = [one for one in result.standings if len(one.run_ids) == 2]
    each = [store.run(run_id).data.metrics["stress_test_auroc"] for run_id in several.run_ids]
    assert several.mean.value == pytest.approx(np.mean(each))
    assert store.run(trained[0].run_id).data.metrics["stress_test_auroc"] == pytest.approx(several.mean.value)
    (pair,) = result.pairs
    names = {one.name: one.mean.value for one in result.standings}
    assert pair.difference == pytest.approx(names[pair.plugin] - names[pair.reference])
    assert "On altered images" in pair.sentence


def test_alterations_are_read_by_the_model_itself(store, trained, result, phantom_folder):
    """The blackened images of the test folder, predicted by hand."""
    from pneumobench.data.load import load_folder
    from pneumobench.data.subset import Part
    from pneumobench.experiment import predict

    whole = load_folder(phantom_folder)
    part = Part(whole.subset(whole.origins == "test"))
    pixels = alterations.altered(altered.of_part(part), "border alone", 0)
    predictor = predict.find(store, trained[1].run_id).served.predictor
    area = point_of_probabilities(part.labels, predictor(altered.Altered(part, pixels)))["auroc"]
    (tiny,) = [one for one in result.standings if one.name == "tiny"]
    assert tiny.controls["border alone"].value == pytest.approx(area)


def test_a_model_that_scores_well_without_lungs_is_told_with_its_floor(store, result):
    figures = {
        "centre hidden": Estimate(0.93, 0.9, 0.95),
        "border alone": Estimate(0.52, 0.45, 0.6),
        "4 x 4 low-pass": Estimate(0.8, 0.7, 0.9),
    }
    hidden, low_pass = without_lungs("x", figures, {})
    assert hidden.startswith("x keeps AUROC .930 [.900, .950] with the lungs blacked out")
    assert hidden.endswith("would fall to .500")
    assert ".500" not in low_pass, "sixteen grey values still show large opacities: chance is not due"
    assert without_lungs("x", figures, {"centre hidden": 0.64})[0].endswith(
        "the mean grey value of what is left scores .640"
    )
    told = " ".join(result.remarks())
    for one in result.standings:
        for name, estimate in one.controls.items():
            assert (f"{one.name} keeps AUROC" in told) >= (estimate.low > 0.5), name
    assert ("The floor of a control" in told) == ("keeps AUROC" in told)


def test_the_floor_is_what_the_mean_grey_value_scores_on_the_altered_images(store, result, phantom_folder):
    from pneumobench.data.load import load_folder
    from pneumobench.data.subset import Part

    whole = load_folder(phantom_folder)
    part = Part(whole.subset(whole.origins == "test"))
    grey = altered.of_part(part)
    mean = alterations.altered(grey, "border alone", 0).mean((1, 2))
    area = point_of_probabilities(part.labels, mean / 255)["auroc"]
    assert result.floors["border alone"] == pytest.approx(max(area, 1 - area), abs=1e-4)
    shuffled = [result.floors["histogram alone"], grey_alone(grey, part.labels)]
    assert shuffled[0] == pytest.approx(shuffled[1], abs=1e-4), "shuffling keeps the mean"
    for run in of_store(store):
        if run.run_id in result.standings[0].run_ids:
            assert stressed.sites(run.tags)["test"].floors == result.floors


def test_it_is_exported_and_other_images_are_refused(store, trained, result, tmp_path):
    run = next(run for run in of_store(store) if run.run_id == trained[1].run_id)
    export.write(run, tmp_path)
    (again,) = export.read(tmp_path)
    assert np.array_equal(*(stressed.read(one)["jpeg 3"].probability for one in (again, run)))
    from pneumobench.data.layouts import phantom
    from pneumobench.data.layouts.phantom import Phantom

    other = phantom.ensure(Phantom((8, 8), (20, 20), 32, seed=9), tmp_path)
    with pytest.raises(UsageError, match="does not hold the test images of these models"):
        stress("tiny", other, tracking_uri=store.uri)
    elsewhere = stress("tiny", other, site="south", tracking_uri=store.uri)
    assert elsewhere.site == "south"
    assert set(stressed.sites(store.run(trained[1].run_id).data.tags)) == {"test", "south"}


def test_the_command_prints_every_kind(store, trained, result, phantom_folder, cli):
    words = ("stress", "tiny", "--data", str(phantom_folder), "--tracking-uri", store.uri)
    done = cli(*words)
    assert done.returncode == 0, done.stderr
    for kind in (*alterations.CORRUPTIONS, *alterations.CONTROLS):
        assert kind in done.stdout
    assert json.loads(cli(*words, "--json").stdout)["plugins"][0]["by_severity"]["defocus 1"] >= 0


def test_a_card_has_what_stress_gave_also_from_an_export(store, trained, result, tmp_path):
    runs = [run for run in of_store(store) if run.parent == trained[0].run_id]
    for run in runs:
        export.write(run, tmp_path)
    (standing,) = [one for one in result.standings if len(one.run_ids) == 2]
    for known in (facts.of(runs, trained[0].run_id, store), facts.of(export.read(tmp_path), "thumbnail")):
        (one,) = known.altered
        assert one.kinds == pytest.approx(standing.auroc)
        assert one.controls == pytest.approx({name: own.value for name, own in standing.controls.items()})
        assert one.clean == pytest.approx(standing.clean.value)
        section = next(section for section in card.of(known).sections if section.title == "Altered images")
        assert ("motion", number(standing.auroc["motion"])) in section.blocks[0].rows
        answer = next(one for one in checklist.answered(known, "claim") if one.item.item == "30")
        assert number(standing.clean.value) in answer.tracked
