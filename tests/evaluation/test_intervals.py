import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from pneumobench.evaluation import calibration, intervals

Z = 1.959963984540054


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilsons_interval_is_statsmodels(correct, more):
    total = correct + more
    expected = proportion_confint(correct, total, method="wilson")
    assert intervals.wilson(correct / total, total, Z) == pytest.approx(expected, abs=1e-12)


def test_wilsons_interval_is_the_published_one():
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 0 of 20, and 1 of 29."""
    assert [round(x, 4) for x in intervals.wilson(0, 20, Z)] == [0, 0.1611]
    assert [round(x, 4) for x in intervals.wilson(1 / 29, 29, Z)] == [0.0061, 0.1718]


def test_images_of_few_patients_are_worth_less():
    assert intervals.effective(np.ones(30)) == 30
    assert intervals.effective(np.full(10, 3)) == pytest.approx(10)
    assert intervals.effective(np.array([8, 1, 1])) == pytest.approx(100 / 66)
    assert intervals.effective(np.zeros(3)) == 0


@given(st.floats(0.01, 0.999), st.floats(1e-4, 0.2))
def test_a_logit_interval_holds_its_figure_and_stays_inside(value, error):
    low, high = intervals.logit(value, error, Z)
    assert 0 <= low <= value <= high <= 1


def test_a_perfect_auroc_is_as_far_from_1_as_hanley_and_mcneils_error_allows():
    m, n, t = 40, 60, 2.0
    low = intervals.perfect_auroc(m, n, t)
    Q = 49 * ((1 - low) / (2 - low) + low / (1 + low))
    assert (1 - low) ** 2 == pytest.approx(t**2 * low * (1 - low) * (1 + Q) / (m * n))
    assert 0.9 < low < intervals.perfect_auroc(400, 600, t) < 1


def calibrated(rng, n, slope=1.0):
    logits = rng.normal(0, 1.5, n)
    return (rng.random(n) < 1 / (1 + np.exp(-logits))).astype(int), 1 / (1 + np.exp(-slope * logits))


@pytest.mark.parametrize(("slope", "least"), [(1.0, 0.91), (3.0, 0.9)], ids=["calibrated", "overconfident"])
def test_the_interval_of_an_ece_covers_it_and_reaches_0_for_a_calibrated_model(slope, least):
    from pneumobench.evaluation import metrics

    labels, said = calibrated(np.random.default_rng(0), 400_000, slope)
    truth = 0.0 if slope == 1 else np.abs(metrics.gaps(labels, said, metrics.whole(len(labels)))).sum()
    hits = []
    for repeat in range(150):
        rng = np.random.default_rng((1, repeat))
        labels, said = calibrated(rng, 300, slope)
        W = rng.multinomial(300, np.full(300, 1 / 300), size=200).astype(float)
        points, draws = (metrics.gaps(labels, said, weights)[:, None] for weights in (metrics.whole(300), W))
        low, high = calibration.ece_interval(points[0], draws, 0.025)
        assert low <= np.abs(points).sum() <= high
        hits.append(low <= truth <= high)
    assert np.mean(hits) >= least
