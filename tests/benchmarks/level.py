"""Whether verdicts hold their level: how often plugins that do not differ are called different.

    python tests/benchmarks/level.py [pairs|families|few|threshold|power|figures ...] [--repeats 800]
        [--resamples 200] [--metric auroc ...] [--ratio 1 ...] [--seeds 3 ...] [--former 2000]

Binormal scores are drawn for the real test patients and their images (`results/*/test.parquet`), trainings for each
plugin, and the project's own `paired.compare` and `estimates.evaluate_all` judge them. A training moves the classes
apart (AUROC) or shifts all scores (the others), as far as makes the variance between trainings `ratio` times the
patients' variance of one model's figure. Every rate is printed with its Monte-Carlo standard error.

pairs      level of single pairs with 3, 5 and 10 trainings a side; coverage is what is left of 100 %
families   how often one of ten plugins that do not differ from the reference is called different
few        coverage of these models' true difference, 1 against 1 and 2 against 3 trainings
threshold  level at thresholds chosen on validation, kept and chosen anew
power      how often a true difference is found, by this test and by the former one (seeds drawn with replacement in
           every resample, percentiles, Holm)
figures    coverage of single figures near 0 and 1, of AUROC near 1, and of a calibrated model's ECE
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from pneumobench.evaluation import estimates, metrics, operating_point, paired, predictions
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.evaluation.predictions import Predictions

RESULTS = Path(__file__).parents[2] / "results"
POINT = OperatingPoint(0.5, "0.5")
ILL, WELL = 1.9, -0.25  # class means: sensitivity .971, specificity .599 and AUROC .936, as the published network's
PATIENT, IMAGE, PLUGIN = 0.3, 0.3, 0.2  # shares of a score's variance that models have in common; the rest is own
METRICS = ("auroc", "accuracy_at_0.5", "sensitivity_at_0.5", "specificity_at_0.5")
RATIOS = (0.1, 1.0, 3.0)
FAMILY = 10


@dataclass(frozen=True)
class World:
    """The images that are judged, and what the trainings do to their scores."""

    images: Predictions
    ill: float = ILL
    well: float = WELL

    def models(
        self, rng: np.random.Generator, plugins: int, effects: np.ndarray, metric: str, gain: float = 0.0
    ) -> dict[str, list[Predictions]]:
        """Each plugin's models; `effects` (plugins, trainings) moves them, `gain` all but the first plugin's."""
        images = self.images
        _, of = np.unique(images.patient, return_inverse=True)
        n, ill = len(images), images.label == 1
        common = PATIENT**0.5 * rng.normal(size=of.max() + 1)[of] + IMAGE**0.5 * rng.normal(size=n)
        made = {}
        for number in range(plugins):
            alike = common + PLUGIN**0.5 * rng.normal(size=n)
            own = []
            for effect in effects[number]:
                noise = (1 - PATIENT - IMAGE - PLUGIN) ** 0.5 * rng.normal(size=n)
                moved = effect + (gain if number else 0.0)
                scores = np.where(ill, self.ill, self.well) + alike + noise
                scores += moved * (ill - 0.5) if metric == "auroc" else moved
                own.append(_with(images, 1 / (1 + np.exp(-scores))))
            made[f"p{number}"] = own
        return made

    def truth(self, metric: str, effect: np.ndarray) -> np.ndarray:
        """The figure of a model with this effect among all patients like these."""
        if metric == "auroc":
            return ndtr((self.ill - self.well + effect) / 2**0.5)
        sensitivity, specificity = ndtr(self.ill + effect), ndtr(-self.well - effect)
        share = self.images.label.mean()
        return {
            "accuracy_at_0.5": share * sensitivity + (1 - share) * specificity,
            "sensitivity_at_0.5": sensitivity,
            "specificity_at_0.5": specificity,
        }[metric]

    def spread(self, metric: str, ratio: float) -> float:
        """The standard deviation of effects that makes trainings' variance `ratio` times the patients'."""
        rng = np.random.default_rng(0)
        whole = metrics.whole(len(self.images))
        points = [
            paired.of_metric(self.models(rng, 1, np.zeros((1, 1)), metric)["p0"][0], metric, whole)[0]
            for _ in range(400)
        ]
        wanted = ratio * np.var(points, ddof=1)
        nodes, weights = np.polynomial.hermite_e.hermegauss(61)
        weights = weights / weights.sum()

        def excess(sd: float) -> float:
            values = self.truth(metric, sd * nodes)
            return float(weights @ (values - weights @ values) ** 2 - wanted)

        return float(brentq(excess, 1e-6, 5.0))


def _with(images: Predictions, probability: np.ndarray, point: OperatingPoint = POINT) -> Predictions:
    return Predictions(images.image, images.patient, images.subtype, images.hash, images.label, probability, point)


def cohort(part: str = "test") -> Predictions:
    """The real patients' images of a part, as one exported run of the default split holds them."""
    path = min(RESULTS.glob(f"residual-*/{part}.parquet"))
    return predictions.read(path, POINT)


def former(models: dict[str, list[Predictions]], metric: str, resamples: int, seed: int) -> list[float]:
    """Holm's p of each plugin against the first by the former test."""
    rng, drawn = np.random.default_rng(seed + 1), []
    for side in paired.sides(models, metric, resamples=resamples, seed=seed).values():
        count, mean = side.count, side.draws.mean(1)
        chosen = rng.integers(count, size=side.draws.shape)
        again = np.take_along_axis(side.draws, chosen, axis=1).mean(1)
        drawn.append(mean + (count / (count - 1)) ** 0.5 * (again - mean))
    p = []
    for draws in drawn[1:]:
        difference = draws - drawn[0]
        below, above = (difference <= 0).sum() + 1, (difference >= 0).sum() + 1
        p.append(min(1.0, 2 * min(below, above) / (resamples + 1)))
    order = np.argsort(p)
    steps = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1))
    return [p[0], *np.minimum(steps[np.argsort(order)], 1.0)]


@dataclass(frozen=True)
class Asked:
    """The options."""

    repeats: int
    resamples: int
    metric: Sequence[str]
    ratio: Sequence[float]
    seeds: Sequence[int]
    former: int


def _repeats(asked: Asked, world: World, metric: str, sd: float, shape: tuple[int, int], gain: float = 0.0) -> Iterator:
    for repeat in range(asked.repeats):
        rng = np.random.default_rng((repeat, *shape))
        effects = sd * rng.normal(size=shape)
        yield repeat, effects, world.models(rng, shape[0], effects, metric, gain)


def rate(hits: Sequence[bool]) -> str:
    """A rate in per cent with its Monte-Carlo standard error."""
    share = float(np.mean(hits))
    return f"{100 * share:5.1f} ± {100 * (share * (1 - share) / len(hits)) ** 0.5:.1f} %"


def pairs(asked: Asked, world: World, *, family: int = 1) -> None:
    """Level of single pairs, and of families where there is more than one plugin beside the reference."""
    for metric in asked.metric:
        for ratio in (*asked.ratio, 10.0) if metric.startswith("specificity") and len(asked.ratio) > 1 else asked.ratio:
            sd = world.spread(metric, ratio)
            for seeds in asked.seeds:
                began, single, any_of, old_single, old_any = time.perf_counter(), [], [], [], []
                for repeat, _, models in _repeats(asked, world, metric, sd, (family + 1, seeds)):
                    found = paired.compare(models, "p0", metric, resamples=asked.resamples, seed=repeat)
                    single.append(found[0].p < 0.05)
                    any_of.append(any(pair.verdict != "no difference detected" for pair in found))
                    if asked.former:
                        p, *corrected = former(models, metric, asked.former, repeat)
                        old_single.append(p < 0.05)
                        old_any.append(min(corrected) < 0.05)
                text = f"{metric:20} ratio {ratio:4.1f}  {seeds:2} v {seeds:<2}  single {rate(single)}"
                text += f"  family of {family} {rate(any_of)}" if family > 1 else ""
                if old_single:
                    text += f"  (former: single {rate(old_single)}"
                    text += f", family {rate(old_any)})" if family > 1 else ")"
                print(f"{text}  [{time.perf_counter() - began:.0f} s]", flush=True)


def families(asked: Asked, world: World) -> None:
    """Families of ten."""
    pairs(asked, world, family=FAMILY)


def few(asked: Asked, world: World) -> None:
    """Coverage of these models' difference."""
    for metric in asked.metric:
        sd = world.spread(metric, 1.0)
        for sizes in ((1, 1), (2, 3)):
            covered = []
            for repeat, effects, models in _repeats(asked, world, metric, sd, (2, 3)):
                some = {name: own[:size] for (name, own), size in zip(models.items(), sizes, strict=True)}
                (pair,) = paired.compare(some, "p0", metric, resamples=asked.resamples, seed=repeat)
                truths = [world.truth(metric, effects[i, :size]).mean() for i, size in enumerate(sizes)]
                covered.append(pair.low <= truths[1] - truths[0] <= pair.high)
            print(f"{metric:20} {sizes[0]} v {sizes[1]}  coverage {rate(covered)}", flush=True)


def threshold(asked: Asked, world: World) -> None:
    """Level at Youden's thresholds, as sentences about plugins have them with and without validation."""
    held_out = World(cohort("validation"), ill=world.ill, well=world.well)
    sd = world.spread("accuracy_at_0.5", 1.0)
    for metric in ("accuracy", "specificity", "sensitivity"):
        kept, anew = [], []
        for repeat in range(asked.repeats):
            rng = np.random.default_rng((repeat, 7))
            effects = sd * rng.normal(size=(2, 3))
            test, validation = (one.models(rng, 2, effects, "accuracy_at_0.5") for one in (world, held_out))
            for name in test:
                for i, said in enumerate(validation[name]):
                    point = operating_point.choose("youden", said.probability, said.label)
                    test[name][i] = _with(test[name][i], test[name][i].probability, point)
                    validation[name][i] = _with(said, said.probability, point)
            for hits, given in ((kept, None), (anew, validation)):
                (pair,) = paired.compare(test, "p0", metric, validation=given, resamples=asked.resamples, seed=repeat)
                hits.append(pair.p < 0.05)
        print(f"{metric:20} 3 v 3  thresholds kept {rate(kept)}  chosen anew {rate(anew)}", flush=True)


def power(asked: Asked, world: World) -> None:
    """How often a difference is found, by both tests; the plugin's effect is two, three or four patients' errors."""
    for metric in asked.metric:
        for ratio in asked.ratio:
            sd, unit = world.spread(metric, ratio), world.spread(metric, 1.0)
            for family in (1, FAMILY):
                for size in (2.0, 4.0):
                    new, old = [], []
                    shape = (family + 1, 3)
                    for repeat, _, models in _repeats(asked, world, metric, sd, shape, size * unit):
                        found = paired.compare(models, "p0", metric, resamples=asked.resamples, seed=repeat)
                        new.append(found[0].verdict != "no difference detected")
                        single, *corrected = former(models, metric, asked.former or 2000, repeat)
                        old.append(corrected[0] < 0.05 if family > 1 else single < 0.05)
                    text = f"{metric:20} ratio {ratio:4.1f}  3 v 3, family of {family:2}, effect {size:.0f}"
                    print(f"{text} patients' errors: found {rate(new)}, former test {rate(old)}", flush=True)


def figures(asked: Asked, world: World) -> None:
    """Coverage of single figures, one model and three."""
    for name, metric, ill, well in (
        ("specificity .995", "specificity_at_0.5", ILL, -2.576),
        ("specificity .999", "specificity_at_0.5", ILL, -3.09),
        ("specificity .6", "specificity_at_0.5", ILL, WELL),
        ("AUROC .936", "auroc", ILL, WELL),
        ("AUROC .995", "auroc", 1.9, -1.743),
        ("AUROC .9995", "auroc", 1.9, -2.753),
    ):
        one = World(world.images, ill, well)
        for seeds in (1, 3):
            covered, truth = [], one.truth(metric, np.zeros(1))[0]
            sd = one.spread(metric, 1.0) if seeds > 1 else 0.0
            if seeds > 1:
                truth = one.truth(metric, sd * np.random.default_rng(0).normal(size=100_000)).mean()
            for repeat, _, models in _repeats(asked, one, metric, sd, (1, seeds)):
                (found,) = estimates.evaluate_all(
                    models, resamples=asked.resamples, seed=repeat, only=[metric]
                ).values()
                covered.append(found[metric].low <= truth <= found[metric].high)
            print(f"{name:20} {seeds} training{'s' if seeds > 1 else ' '}  coverage {rate(covered)}", flush=True)
    for name, slope, shift in (
        ("ECE, calibrated", 1.0, 0.0),
        ("ECE, overconfident", 2.0, 0.0),
        ("ECE, shifted", 1.0, 1.0),
    ):
        covered, at_zero = [], []
        truth = _ece(slope, shift)
        for repeat in range(asked.repeats):
            model = _calibrated(world.images, np.random.default_rng((repeat, 5)), slope, shift)
            found = estimates.evaluate([model], resamples=asked.resamples, seed=repeat, only=["ece"])["ece"]
            covered.append(found.low <= truth <= found.high)
            at_zero.append(found.low == 0)
        print(f"{name:20} true {truth:.3f}  coverage {rate(covered)}, lower end 0 in {rate(at_zero)}", flush=True)


def _calibrated(images: Predictions, rng: np.random.Generator, slope: float, shift: float) -> Predictions:
    """Labels drawn from probabilities; stated is what `slope` and `shift` make of them on the logit scale."""
    logits = rng.normal(0.5, 2.0, size=len(images))
    label = (rng.random(len(images)) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    drawn = Predictions(images.image, images.patient, images.subtype, images.hash, label, logits, POINT)
    return _with(drawn, 1 / (1 + np.exp(-slope * logits - shift)))


def _ece(slope: float, shift: float) -> float:
    logits = np.random.default_rng(0).normal(0.5, 2.0, size=2_000_000)
    stated, true = 1 / (1 + np.exp(-slope * logits - shift)), 1 / (1 + np.exp(-logits))
    gaps = np.bincount(np.minimum((stated * 10).astype(int), 9), stated - true, 10)
    return float(np.abs(gaps).sum() / len(logits))


PARTS = {f.__name__: f for f in (pairs, families, few, threshold, power, figures)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=800)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--metric", nargs="+", default=METRICS, choices=METRICS)
    parser.add_argument("--ratio", nargs="+", type=float, default=RATIOS)
    parser.add_argument("--seeds", nargs="+", type=int, default=None)
    parser.add_argument("--former", type=int, default=0, help="resamples of the former test beside; 0: without")
    given = parser.parse_args()
    world = World(cohort())
    for part in given.parts:
        seeds = given.seeds or {"pairs": (3, 5, 10), "families": (3, 5)}.get(part, (3,))
        asked = Asked(given.repeats, given.resamples, given.metric, given.ratio, seeds, given.former)
        print(
            f"== {part}: {asked.repeats} repeats, {asked.resamples} resamples, {len(world.images)} images", flush=True
        )
        PARTS[part](asked, world)


if __name__ == "__main__":
    main()
