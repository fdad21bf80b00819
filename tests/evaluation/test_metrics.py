import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pneumobench.evaluation import calibration, labels, metrics

# a table worked out by hand: 10 with pneumonia (8 found), 5 without (4 cleared)
LABELS = np.array([1] * 10 + [0] * 5)
SAID = np.array([1] * 8 + [0] * 2 + [1] + [0] * 4)
SUBTYPES = np.array(["bacterial"] * 6 + ["viral"] * 4 + ["normal"] * 5)


def test_every_decision_metric_by_hand():
    found = metrics.point_at_threshold(LABELS, SAID, SUBTYPES)
    expected = {
        "accuracy": 12 / 15,
        "balanced_accuracy": (0.8 + 0.8) / 2,
        "sensitivity": 8 / 10,
        "specificity": 4 / 5,
        "ppv": 8 / 9,
        "npv": 4 / 6,
        "f1_pneumonia": 16 / 19,
        "f1_normal": 8 / 11,
        "f1_weighted": (10 * 16 / 19 + 5 * 8 / 11) / 15,
        "mcc": (8 * 4 - 1 * 2) / np.sqrt(9 * 10 * 5 * 6),
        "gmean": 0.8,
        "sensitivity_bacterial": 1.0,
        "sensitivity_viral": 0.5,
    }
    assert found == pytest.approx(expected)
    assert set(found) == set(metrics.AT_THRESHOLD)


def test_calibration_error_by_hand():
    # bin .2-.3: said .25 on average, seen 1/2; bin .9-1: said .95 and 1, seen 1
    error = metrics.point_of_probabilities(np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.95, 1.0]))["ece"]
    assert error == pytest.approx((2 * 0.25 + 2 * 0.025) / 4)


def test_an_absent_subtype_or_class_is_undefined_not_zero():
    found = metrics.point(np.array([1, 1, 0]), np.array([0.9, 0.2, 0.1]), np.array(["viral", "viral", "normal"]), 0.5)
    assert np.isnan(found["sensitivity_bacterial"])
    assert found["sensitivity_viral"] == 0.5
    alone = metrics.point(np.array([1, 1]), np.array([0.9, 0.2]), np.array(["viral", "viral"]), 0.5)
    for name in ("auroc", "specificity", "balanced_accuracy", "gmean"):
        assert np.isnan(alone[name]), name


def test_every_metric_is_given_at_the_threshold_and_at_one_half():
    found = metrics.point(LABELS, np.where(SAID, 0.4, 0.1), SUBTYPES, 0.3)
    assert found["sensitivity"] == 0.8
    assert found["sensitivity_at_0.5"] == 0
    assert set(found) == {
        *metrics.AT_THRESHOLD,
        *metrics.OF_PROBABILITIES,
        *(name + metrics.HALF for name in metrics.AT_THRESHOLD),
    }


def test_the_geometric_mean_is_imbalanced_learn_s():
    from imblearn.metrics import geometric_mean_score

    said = np.random.default_rng(0).integers(0, 2, len(LABELS))
    found = metrics.point_at_threshold(LABELS, said, SUBTYPES)
    assert found["gmean"] == pytest.approx(geometric_mean_score(LABELS, said))


@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")  # scikit-learn, of images of one class
@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 80))
def test_the_point_of_any_images_is_scikit_learn_s(oracle, seed, n):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    said = np.round(rng.random(n), rng.integers(1, 4))
    subtypes = np.where(y == 0, "normal", rng.choice(["bacterial", "viral"], n))
    assert metrics.point(y, said, subtypes, 0.37) == pytest.approx(oracle(y, said, subtypes, 0.37), nan_ok=True)


def test_one_metric_alone_is_the_same_as_among_all():
    said = np.random.default_rng(1).random(len(LABELS))
    W = np.random.default_rng(2).integers(0, 3, (6, len(LABELS))).astype(np.float32)
    for name, values in metrics.every(LABELS, said, SUBTYPES, 0.3, W).items():
        np.testing.assert_array_equal(metrics.one(name, LABELS, said, SUBTYPES, 0.3, W), values)


def test_reliability_by_hand_leaves_empty_bins_out():
    curve = calibration.reliability(np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.95, 1.0]))
    assert curve.stated == pytest.approx([0.25, 0.975])
    assert curve.observed == pytest.approx([0.5, 1.0])
    assert curve.counts.tolist() == [2, 2]


def test_every_metric_has_a_label_a_sign_and_a_range():
    assert set(labels.METRICS) == {*metrics.AT_THRESHOLD, *metrics.OF_PROBABILITIES}
    assert labels.FREE == metrics.OF_PROBABILITIES
    assert labels.label("auroc") == "AUROC"
    assert labels.label("accuracy_at_0.5") == "accuracy at 0.5"
    assert labels.label("accuracy") == "accuracy"
    assert labels.label("accuracy", full=True) == "accuracy at the threshold"
    assert (labels.of("brier").sign, labels.of("mcc_at_0.5").least) == (-1, -1.0)
