import numpy as np
import pytest

from pneumobench.errors import DataError, UsageError
from pneumobench.evaluation import bootstrap, paired
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions


def predictions(labels, scores, threshold=0.5, images_of_a_patient=2):
    n = len(labels)
    names = np.array([f"{i:04d}" for i in range(n)])
    subtype = np.where(labels == 1, "viral", "normal")
    patient = np.array([f"p{i // images_of_a_patient}" for i in range(n)])
    return Predictions(
        names, patient, subtype, names, labels.astype(np.int8), scores, OperatingPoint(threshold, "x", 1)
    )


def cohort(seed, n=300, skills=(1.0, 1.0), seeds=1, spread=0.0):
    """Two plugins' models: noisy scores of the same images, that share what is hard about an image."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(0, 2, n // 2), 2)
    hard = rng.normal(0, 1, n)
    found = []
    for skill in skills:
        own = []
        for _ in range(seeds):
            shift = rng.normal(0, spread)
            scores = labels * (skill + shift) + 0.7 * hard + 0.7 * rng.normal(0, 1, n)
            own.append(predictions(labels, 1 / (1 + np.exp(-scores))))
        found.append(own)
    return found


@pytest.mark.parametrize("metric", paired.METRICS)
def test_every_metric_is_scikit_learn_s_for_whole_and_for_resampled_images(oracle, metric):
    ((one,), _) = cohort(0)
    W = np.random.default_rng(1).integers(0, 4, (5, len(one))).astype(np.float32)
    W[0] = 1
    values = paired.of_metric(one, metric, W)
    for weights, value in zip(W, values, strict=True):
        rows = np.repeat(np.arange(len(one)), weights.astype(int))
        point = oracle(one.label[rows], one.probability[rows], one.subtype[rows], one.operating.threshold)
        assert value == pytest.approx(point[metric], abs=2e-6)


def test_all_pairs_see_the_same_patients_and_the_reference_is_the_second():
    first, second = cohort(3, skills=(2.0, 1.0))
    (pair,) = paired.compare({"good": first, "plain": second}, "plain", resamples=2000)
    assert (pair.plugin, pair.reference) == ("good", "plain")
    assert pair.difference > 0
    assert pair.low <= pair.difference <= pair.high
    assert pair.verdict == "better"
    assert "These trained models of good are better than those of plain in AUROC" in pair.sentence
    (other,) = paired.compare({"good": first, "plain": second}, "good", resamples=2000)
    assert other.verdict == "worse"
    assert other.difference == pytest.approx(-pair.difference)


def test_three_seeds_on_both_sides_speak_of_plugins():
    first, second = cohort(4, skills=(2.0, 1.0), seeds=3)
    (pair,) = paired.compare({"good": first, "plain": second}, "plain", resamples=2000)
    assert pair.of_plugins
    assert pair.sentence.startswith("good is better than plain")


def test_no_difference_is_a_result_and_says_what_could_have_been_seen():
    first, _ = cohort(5)
    (pair,) = paired.compare({"same": first, "plain": first}, "plain", resamples=2000)
    assert (pair.difference, pair.p, pair.verdict) == (0.0, 1.0, "no difference detected")
    first, second = cohort(6, skills=(1.0, 1.0))
    (pair,) = paired.compare({"like": first, "plain": second}, "plain", resamples=2000)
    assert pair.verdict == "no difference detected"
    assert pair.detectable > 0
    assert f"one smaller than {pair.detectable:.3f} could not have been" in pair.sentence


def test_a_lower_log_loss_is_better():
    first, second = cohort(7, skills=(3.0, 0.5))
    (pair,) = paired.compare({"good": first, "plain": second}, "plain", "log_loss", resamples=2000)
    assert pair.difference < 0
    assert pair.verdict == "better"


def test_holm_corrects_as_published():
    # Holm (1979) by hand: 4 x .01, 3 x .02 (not below .04), 2 x .03, 1 x .04, each not below the one before
    assert paired.holm([0.01, 0.04, 0.03, 0.02]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert paired.holm([0.01, float("nan")])[0] == pytest.approx(0.01)


def test_mcnemar_is_the_exact_binomial_test_of_the_images_on_which_they_differ():
    labels = np.ones(20, int)
    first, second = predictions(labels, np.full(20, 0.9)), predictions(labels, np.r_[np.full(6, 0.1), np.full(14, 0.9)])
    assert paired.mcnemar(first, second) == pytest.approx(2 * 0.5**6)
    assert paired.mcnemar(first, first) == 1.0


def test_other_images_an_unknown_metric_or_a_lonely_plugin_are_refused():
    first, second = cohort(8)
    with pytest.raises(DataError, match="do not judge the same images"):
        paired.compare({"a": first, "b": cohort(9)[0]}, "b")
    with pytest.raises(UsageError, match="no metric named 'auc'; did you mean"):
        paired.compare({"a": first, "b": second}, "b", "auc")
    with pytest.raises(UsageError, match="two plugins at least"):
        paired.compare({"a": first}, "a")


def test_intervals_of_the_difference_cover_it():
    """Ninety-five of a hundred, within what 150 simulations can tell (binomial: 90 to 99 %)."""
    covered, resamples = 0, 400
    truth = np.mean([_auroc(cohort(s, n=4000, skills=(1.6, 1.0), seeds=1)) for s in range(5)])
    for seed in range(150):
        first, second = cohort(1000 + seed, n=240, skills=(1.6, 1.0))
        W = bootstrap.patient_weights(first[0].patient, resamples, seed)
        draws = paired.of_metric(first[0], "auroc", W) - paired.of_metric(second[0], "auroc", W)
        low, high = bootstrap.interval(draws)
        covered += low <= truth <= high
    assert 0.90 <= covered / 150 <= 0.99


def _auroc(models):
    whole = np.ones((1, len(models[0][0])), np.float32)
    return float(np.subtract(*(paired.of_metric(of[0], "auroc", whole)[0] for of in models)))
