import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pneumobench.evaluation import bootstrap, delong, metrics

# DeLong, DeLong and Clarke-Pearson's 49 patients with ovarian cancer, as far as all three tests are known: albumin,
# total protein, K-G score, and whether they did not profit from surgery (Biometrics 44, 1988; listed in SAS/STAT's
# user's guide, PROC LOGISTIC, "Comparing Receiver Operating Characteristic Curves")
PATIENTS = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1 3.8 5.7 5 1
3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0
4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1
4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1
2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""
ALBUMIN, PROTEIN, KG, OUTCOME = np.array(PATIENTS.split(), float).reshape(-1, 4).T


@pytest.mark.parametrize(
    ("first", "area", "error", "p"),
    [(-ALBUMIN, 0.7366, 0.0953, 0.9102), (-PROTEIN, 0.6478, 0.1046, 0.4561)],
    ids=["albumin", "total protein"],
)
def test_published_values_are_met(first, area, error, p):
    found = delong.compare((OUTCOME == 0).astype(int), first, KG)
    assert found.first == pytest.approx(area, abs=5e-5)
    assert found.second == pytest.approx(0.7258, abs=5e-5)
    assert found.error == pytest.approx(error, abs=5e-5)
    assert found.p == pytest.approx(p, abs=5e-5)


def test_a_bootstrap_over_images_gives_the_same_error():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    first, second = labels + rng.normal(0, 1, 400), labels + rng.normal(0, 1.5, 400)
    W = bootstrap.patient_weights(np.arange(400).astype(str), 4000)
    scaled = [1 / (1 + np.exp(-scores)) for scores in (first, second)]
    draws = [metrics.of_probabilities(labels, scores, W)["auroc"] for scores in scaled]
    assert delong.compare(labels, first, second).error == pytest.approx((draws[0] - draws[1]).std(), rel=0.06)


@given(st.integers(0, 1000), st.integers(4, 60))
def test_areas_are_scikit_learn_s_and_the_sides_can_be_swapped(seed, n):
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 0, 1, 1, rng.integers(0, 2, n)]
    first, second = rng.integers(0, 5, len(labels)) / 4, rng.random(len(labels))
    one, other = delong.compare(labels, first, second), delong.compare(labels, second, first)
    assert one.first == pytest.approx(roc_auc_score(labels, first))
    assert (one.first, one.second) == (other.second, other.first)
    assert one.p == pytest.approx(other.p)
    assert delong.compare(labels, first, first).p == 1.0


def clustered(seed, patients=80, images=3):
    """Patients with several images, alike in their scores; some have images of both classes."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(patients), images)
    labels = np.where(rng.random(len(of)) < 0.1, 1, 0) ^ (of % 2)
    alike = rng.normal(0, 1, patients)[of]
    return of.astype(str), labels, *(labels + alike + rng.normal(0, 0.7, len(of)) for _ in range(2))


@given(st.integers(0, 1000), st.integers(4, 60))
def test_patients_with_one_image_each_are_images(seed, n):
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 0, 1, 1, rng.integers(0, 2, n)]
    first, second = rng.integers(0, 5, len(labels)) / 4, rng.random(len(labels))
    patients = rng.permutation(len(labels)).astype(str)
    assert delong.compare(labels, first, second, patients).error == pytest.approx(
        delong.compare(labels, first, second).error
    )


def test_images_that_are_repeated_under_one_patient_add_nothing():
    labels, first, second = (np.tile(x, 3) for x in ((OUTCOME == 0).astype(int), -ALBUMIN, KG))
    patients = np.tile(np.arange(len(KG)), 3).astype(str)
    once = delong.compare(labels[: len(KG)], -ALBUMIN, KG)
    assert delong.compare(labels, first, second, patients).error == pytest.approx(once.error, rel=1e-9)
    assert delong.compare(labels, first, second).error < 0.6 * once.error


def test_a_bootstrap_over_patients_gives_the_same_error():
    patients, labels, first, second = clustered(0)
    W = bootstrap.patient_weights(patients, 4000)
    draws = [metrics.auroc(labels, scores, W) for scores in (first, second)]
    found = delong.compare(labels, first, second, patients)
    assert found.error == pytest.approx((draws[0] - draws[1]).std(), rel=0.08)
