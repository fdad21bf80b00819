import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pneumobench.evaluation import bootstrap, metrics


def drawn(seed, n=60, patients=25):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    labels[:2] = [0, 1]
    probabilities = np.round(rng.random(n), 1)  # coarse, so that there are ties
    subtypes = np.where(labels == 0, "normal", rng.choice(["bacterial", "viral"], n))
    return labels, probabilities, subtypes, rng.integers(0, patients, n).astype(str)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_weighted_figures_are_scikit_learns_on_the_repeated_images(oracle, seed):
    """scikit-learn is the oracle: a weight of k is an image that is repeated k times."""
    labels, probabilities, subtypes, patients = drawn(seed)
    W = bootstrap.patient_weights(patients, resamples=4, seed=seed)
    W[0] = 1
    found = metrics.every(labels, probabilities, subtypes, 0.4, W)
    for row, weights in enumerate(W.astype(int)):
        again = np.repeat(np.arange(len(labels)), weights)
        if len(np.unique(labels[again])) < 2:
            continue
        expected = oracle(labels[again], probabilities[again], subtypes[again], 0.4)
        got = {name: values[row] for name, values in found.items()}
        assert got == pytest.approx(expected, nan_ok=True, abs=1e-5)


def test_images_of_a_patient_come_and_go_together():
    patients = np.array(["a", "a", "b", "c", "c", "c"])
    W = bootstrap.patient_weights(patients, resamples=200, seed=0)
    assert np.array_equal(W[:, 0], W[:, 1])
    assert np.array_equal(W[:, 3], W[:, 5])
    assert np.all(W[:, [0, 2, 3]].sum(1) == 3), "as many patients as there are"


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """300 studies of 80 patients with two equal images each; a bootstrap over images would cover far less."""
    truth, hits = 0.7, 0
    for study in range(300):
        right = np.random.default_rng(study).random(80) < truth
        labels = np.repeat(np.ones(80, int), 2)
        probabilities = np.repeat(np.where(right, 0.9, 0.1), 2)
        W = bootstrap.patient_weights(np.repeat(np.arange(80), 2).astype(str), resamples=300, seed=study)
        cells = metrics.every(labels, probabilities, np.full(160, "viral"), 0.5, W)
        low, high = bootstrap.interval(cells["sensitivity"])
        hits += low <= truth <= high
    assert 0.90 <= hits / 300 <= 0.98


def test_an_interval_of_mostly_undefined_values_is_undefined():
    assert np.isnan(bootstrap.interval(np.array([np.nan] * 6 + [0.5] * 4))).all()
    assert bootstrap.interval(np.array([np.nan] + [0.5] * 9)) == (0.5, 0.5)


def test_a_block_at_a_time_gives_what_the_whole_matrix_does(monkeypatch):
    labels, probabilities, _, patients = drawn(1)
    whole = metrics.of_probabilities(labels, probabilities, bootstrap.patient_weights(patients, 50, 3))
    monkeypatch.setattr(bootstrap, "BLOCK", 7 * len(labels))
    blocks = bootstrap.over_patients(lambda W: metrics.of_probabilities(labels, probabilities, W), patients, 50, 3)
    for name, values in whole.items():
        np.testing.assert_allclose(blocks[name], values, atol=1e-6)
