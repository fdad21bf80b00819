"""The difference of differences: its level by simulation, its variance, and each of its answers."""

import numpy as np
import pytest

from pneumobench.evaluation import paired, sites
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.variance import Trainings


def models(rng, n, strengths, of_training=None, noise=0.6):
    label, common = np.repeat([0, 1], n // 2), rng.normal(size=n)
    made = {}
    for name, strength in strengths.items():
        made[name] = []
        for extra in (of_training or {}).get(name, [0.0]):
            z = (strength + extra) * label + common + noise * rng.normal(size=n)
            made[name].append(
                Predictions(
                    image=np.arange(n).astype(str), patient=np.arange(n).astype(str), subtype=label.astype(str),
                    hash=np.arange(n).astype(str), label=label, probability=1 / (1 + np.exp(-z)),
                    operating=OperatingPoint(0.5, "0.5"),
                )
            )  # fmt: skip
    return made


def contrast(home, away, resamples=300):
    pairs = [paired.compare(where, "b", resamples=resamples)[0] for where in (home, away)]
    (found,) = sites.contrasts("there", home, away, [(pairs[0], pairs[1])], resamples=resamples)
    return found


def test_variances_of_the_sites_add_and_degrees_of_freedom_are_welchs():
    rng = np.random.default_rng(0)
    still = Trainings(np.zeros(1), np.zeros((4000, 1)))
    home = Trainings(np.array([0.05]), rng.normal(0, 0.03, (4000, 1)))
    away = Trainings(np.array([0.02]), rng.normal(0, 0.04, (4000, 1)))
    over = sites.change((home, still), (away, still), (11, 21))
    v = [float(side.mean.var(ddof=1)) for side in (home, away)]
    assert over.variance == pytest.approx(sum(v))
    assert over.error == pytest.approx(0.05, rel=0.03)
    assert over.df == pytest.approx(sum(v) ** 2 / (v[0] ** 2 / 10 + v[1] ** 2 / 20))
    half = sites.change((home, still), (away, still), (11, 21), kept=0.5)
    assert half.variance == pytest.approx(v[0] / 4 + v[1])


@pytest.mark.slow
@pytest.mark.parametrize(("trainings", "of_site", "least"), [(1, 0.0, 0.02), (3, 0.3, 0.02), (3, 0.0, 0.0)])
def test_five_of_a_hundred_equal_differences_are_called_different(trainings, of_site, least):
    """Fewer where trainings differ as much at one site as at the other: a variance of 0 is not estimated below 0."""
    rng, called, rounds = np.random.default_rng(trainings), 0, 400
    for _ in range(rounds):
        strength = {name: 0.15 * rng.normal(size=trainings) for name in "ab"}
        at = [{n: (s + of_site * rng.normal(size=trainings)).tolist() for n, s in strength.items()} for _ in range(2)]
        home, away = (
            models(rng, n, {"a": 1.4, "b": 1.1}, extra if trainings > 1 else None)
            for n, extra in zip((240, 160), at, strict=True)
        )
        called += contrast(home, away, 200).p < 0.05
    assert least <= called / rounds < 0.083  # three standard errors of 400 rounds: .033


@pytest.mark.parametrize(
    ("home", "away", "images", "answer"),
    [
        ((2.0, 1.0), (2.0, 1.0), 6000, "the same"),
        ((2.0, 1.0), (1.2, 1.0), 3000, "smaller"),
        ((2.0, 1.0), (0.5, 1.0), 3000, "of the other sign"),
        ((1.3, 1.0), (2.5, 1.0), 3000, "larger"),
        ((1.0, 1.0), (2.0, 1.0), 3000, "different"),
        ((1.0, 1.0), (1.0, 1.0), 3000, "cannot be told"),
        ((1.6, 1.0), (1.6, 1.0), 60, "cannot be told"),
    ],
)
def test_each_answer_is_given_where_it_is_true(home, away, images, answer):
    rng = np.random.default_rng(1)
    at_home = models(rng, 3000, dict(zip("ab", home, strict=True)))
    there = models(rng, images, dict(zip("ab", away, strict=True)))
    found = contrast(at_home, there)
    assert found.answer == answer
    assert found.difference == pytest.approx(found.away.difference - found.home.difference, abs=1e-9)
    assert found.low < found.difference < found.high
    words = {"the same": "as at home", "different": "where none was detected"}.get(answer, answer)
    assert words in found.sentence


def test_a_verdict_does_not_vanish_because_a_small_sample_failed_to_repeat_it():
    rng = np.random.default_rng(2)
    found = contrast(models(rng, 3000, {"a": 1.5, "b": 1.0}), models(rng, 60, {"a": 1.5, "b": 1.0}))
    assert found.away.verdict == "no difference detected"
    assert found.answer == "cannot be told"
