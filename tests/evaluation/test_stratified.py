"""AUROC within a column's values: against scikit-learn and pair by pair, alone, in intervals and in pairs."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pneumobench.errors import UsageError
from pneumobench.evaluation import estimates, labels, paired, stratified
from pneumobench.evaluation.metrics import whole
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions

# counts of NIH's two folders by class (normal, pneumonia) and view (AP, PA), as their README states them
FOLDERS = {"chestx-ray8": (((342, 158), (225, 275)), 0.383), "radiologists": (((18, 58), (87, 42)), 0.719)}


def predictions(labels, probabilities, view, patients=None):
    n = len(labels)
    return Predictions(
        image=np.array([f"{i}.png" for i in range(n)]),
        patient=np.arange(n).astype(str) if patients is None else patients,
        subtype=np.where(labels == 1, "unknown", "normal"),
        hash=np.array([f"{i:04}" for i in range(n)]),
        label=labels.astype(np.int8),
        probability=probabilities,
        operating=OperatingPoint(0.5, "0.5"),
        columns={"view": view},
    )


@pytest.fixture
def confounded():
    """Images whose view tells the class, and a model that sees the view alone."""
    rng = np.random.default_rng(0)
    label = np.r_[np.zeros(150, int), np.ones(150, int)]
    view = np.where(rng.random(300) < np.where(label == 1, 0.8, 0.2), "AP", "PA")
    return label, view, np.where(view == "AP", 0.9, 0.1), np.clip(0.35 * label + 0.6 * rng.random(300), 0, 1)


def test_it_is_the_share_of_pairs_of_one_value_that_are_ranked_rightly(confounded):
    label, view, _, probability = confounded
    pairs = right = 0.0
    for value in ("AP", "PA"):
        ill, well = (probability[(view == value) & (label == y)] for y in (1, 0))
        pairs += len(ill) * len(well)
        right += len(ill) * len(well) * roc_auc_score(np.r_[np.ones(len(ill)), np.zeros(len(well))], np.r_[ill, well])
    found = stratified.auroc(label, probability, view, whole(len(label)))
    assert found[0] == pytest.approx(right / pairs)


def test_what_the_column_alone_tells_is_worth_nothing_within_it(confounded):
    label, view, by_view, _ = confounded
    assert roc_auc_score(label, by_view) > 0.7
    assert stratified.auroc(label, by_view, view, whole(len(label)))[0] == pytest.approx(0.5)


def test_image_weights_count_pairs_as_often(confounded):
    label, view, _, probability = confounded
    weights = np.random.default_rng(1).integers(0, 3, len(label))
    again = np.repeat(np.arange(len(label)), weights)
    weighted = stratified.auroc(label, probability, view, weights[None].astype(float))
    assert weighted[0] == pytest.approx(
        stratified.auroc(label[again], probability[again], view[again], whole(len(again)))[0]
    )
    assert np.isnan(stratified.auroc(label, probability, np.full(300, ""), whole(300))[0])


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_view_alone_scores_what_was_published_of_the_two_folders(folder):
    ((a, b), (c, d)), expected = FOLDERS[folder]
    label = np.repeat([0, 0, 1, 1], [a, b, c, d])
    view = np.repeat(["AP", "PA", "AP", "PA"], [a, b, c, d])
    sign, area = stratified.alone(label, view)
    assert sign == "AP"
    assert area == pytest.approx(expected, abs=5e-4)


def test_an_interval_of_it_and_a_pair_are_as_of_any_metric(confounded):
    label, view, by_view, probability = confounded
    one, other = predictions(label, probability, view), predictions(label, by_view, view)
    figures = estimates.evaluate([one], only=("auroc_within_view",))
    assert figures["auroc_within_view"].low < figures["auroc_within_view"].value < figures["auroc_within_view"].high
    assert labels.label("auroc_within_view", full=True) == "AUROC within view"
    (pair,) = paired.compare({"reads": [one], "looks at the view": [other]}, "looks at the view", "auroc_within_view")
    assert pair.difference == pytest.approx(figures["auroc_within_view"].value - 0.5)
    assert pair.verdict == "better"
    assert "AUROC within view" in pair.sentence
    (plain,) = paired.compare({"reads": [one], "looks at the view": [other]}, "looks at the view")
    assert plain.difference < pair.difference


def test_columns_that_cannot_be_used_are_named(confounded):
    label, view, *_ = confounded
    stratified.check(label, {"view": view}, "view")
    with pytest.raises(UsageError, match="no column 'sex'; they have: view"):
        stratified.check(label, {"view": view}, "sex")
    with pytest.raises(UsageError, match="at most 20 values; age has 300"):
        stratified.check(label, {"age": np.arange(300).astype(str)}, "age")
    with pytest.raises(UsageError, match="no value of side has images of both classes"):
        stratified.check(label, {"side": label.astype(str)}, "side")
