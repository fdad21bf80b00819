import numpy as np
import pytest
from scipy.stats import t as student

from pneumobench.data.subset import Part
from pneumobench.errors import DataError
from pneumobench.evaluation import estimates, intervals
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions, of
from pneumobench.utils.jsonable import to_json


@pytest.fixture
def part(dataset):
    return Part(dataset.subset(dataset.origins == "test"))


def predictions(part, seed):
    rng = np.random.default_rng(seed)
    said = np.clip(0.35 * part.labels + 0.65 * rng.random(len(part)), 0, 1)
    return of([part.dataset], [said], OperatingPoint(0.4 + 0.05 * seed, "youden"))


def test_one_model_has_scikit_learns_points_inside_their_intervals(oracle, part):
    one = predictions(part, 0)
    found = estimates.evaluate([one])
    expected = oracle(part.labels, one.probability, part.subtypes, 0.4)
    assert {name: e.value for name, e in found.items()} == pytest.approx(expected)
    assert all(e.low <= e.value + 1e-6 and e.value <= e.high + 1e-6 for e in found.values())
    assert found["auroc"].sd is None


def test_several_seeds_give_mean_and_standard_deviation(part):
    models = [predictions(part, seed) for seed in range(3)]
    found = estimates.evaluate(models)["auroc"]
    each = [estimates.evaluate([m])["auroc"] for m in models]
    assert found.value == pytest.approx(np.mean([e.value for e in each]))
    assert found.sd == pytest.approx(np.std([e.value for e in each], ddof=1))


def test_the_interval_of_several_seeds_covers_their_spread(part):
    """Two models, one right and one wrong everywhere: the mean is one half, and nearly anything may be next."""
    right = of([part.dataset], [part.labels * 1.0], OperatingPoint(0.5, "youden"))
    wrong = of([part.dataset], [1.0 - part.labels], OperatingPoint(0.5, "youden"))
    found = estimates.evaluate([right, wrong])["accuracy"]
    assert found.value == 0.5
    assert (found.low, found.high) == pytest.approx((0, 1), abs=0.01)


def test_a_perfect_model_is_not_known_to_be_perfect(part):
    """Every figure of it is 1 or 0, and no interval is a point."""
    one = of([part.dataset], [0.1 + 0.8 * part.labels], OperatingPoint(0.5, "youden"))
    found = estimates.evaluate([one])
    for name in ("accuracy", "sensitivity", "specificity", "ppv", "balanced_accuracy", "f1_normal", "mcc", "auroc"):
        assert found[name].value == pytest.approx(1)
        assert 0.2 < found[name].low < 1 == found[name].high, name
    assert np.isnan(found["auprc"].low), "no rule is known"
    n = intervals.effective(np.unique(part.patients[part.labels == 1], return_counts=True)[1])
    t = student.isf(0.025, len(np.unique(part.patients[part.labels == 1])) - 1)
    assert found["sensitivity"].low == pytest.approx(n / (n + t**2))


def test_only_what_is_asked_for_is_computed(part):
    one = predictions(part, 0)
    every, some = estimates.evaluate([one]), estimates.evaluate([one], only=["auroc", "ece"])
    assert some == {name: every[name] for name in ("auroc", "ece")}


@pytest.mark.parametrize("trainings", [1, 3])
def test_the_interval_of_a_high_specificity_covers_it(trainings):
    """True .99 among 80 patients of two like images; percentiles cover it in about half of 200 studies."""
    covered = 0
    for study in range(200):
        rng = np.random.default_rng(study)
        names = np.array([f"{i}" for i in range(164)])
        patient, labels = np.array([f"p{i // 2}" for i in range(164)]), np.r_[np.zeros(160, int), 1, 1, 1, 1]
        models = []
        for _ in range(trainings):
            said = np.r_[np.repeat(np.where(rng.random(80) < 0.99, 0.1, 0.9), 2), np.full(4, 0.9)]
            subtype = np.where(labels == 1, "viral", "normal")
            models.append(Predictions(names, patient, subtype, names, labels, said, OperatingPoint(0.5, "0.5")))
        found = estimates.evaluate(models, only=["specificity"], resamples=200, seed=study)["specificity"]
        covered += found.low <= 0.99 <= found.high
    assert covered >= 184


def test_wilsons_interval_is_the_published_one():
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263 gives .2553 to .3662."""
    found = estimates.proportion(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_the_published_accuracy_is_477_of_624():
    assert round(estimates.published().value, 4) == 0.7644
    assert estimates.majority(np.array([0] * 234 + [1] * 390)).value == pytest.approx(0.625)


def test_undefined_figures_are_null_in_json():
    assert to_json(estimates.Estimate(float("nan"), float("nan"), 1.0)) == {"value": None, "low": None, "high": 1.0}


def test_seeds_on_other_images_are_refused(part):
    other = Part(part.dataset.subset(np.arange(len(part))[::-1]))
    with pytest.raises(DataError, match="the same images"):
        estimates.evaluate([predictions(part, 0), predictions(other, 1)])
