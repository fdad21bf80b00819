"""What a plugin's probabilities are good for, as small multiples: reliability, net benefit, selective prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pneumobench.comparison.report import bands, multiples
from pneumobench.comparison.report.bands import Band, Models
from pneumobench.comparison.report.multiples import Multiples
from pneumobench.comparison.report.svg import MARK, PAGE, SOFT
from pneumobench.evaluation import calibration, metrics, net_benefit, selective
from pneumobench.evaluation.predictions import Predictions
from pneumobench.evaluation.words import number

FEW = 20  # images in a bin, below which its point is open
MOST_CERTAIN = 0.8  # a share of the images for the sentences
SURE = f"{100 * MOST_CERTAIN:.0f} %"
AT = 0.5  # a threshold for the sentences
THRESHOLDS = net_benefit.THRESHOLDS[:95]  # beyond .95 a false positive weighs so much that single images decide
HALVES = np.array([0, 0.5, 1])


def draw(models: Models, reference: str, W: np.ndarray) -> dict[str, Multiples]:
    """The sections by name, for the models' predictions on the same images and resamples W of their patients."""
    return {
        "reliability": reliability(models, W),
        "net_benefit": decision_curves(models, reference, W),
        "selective": selections(models, reference, W),
    }


def reliability(models: Models, W: np.ndarray) -> Multiples:
    """Stated against observed pneumonia in ten bins of probability, all trainings of a plugin pooled, with bands."""
    first = next(iter(models.values()))[0]
    stated = {name: float(np.mean([one.probability for one in own])) for name, own in models.items()}
    least, most = min(stated, key=stated.__getitem__), max(stated, key=stated.__getitem__)
    panels = {}
    for name, own in models.items():
        ece = float(np.mean([metrics.point_of_probabilities(one.label, one.probability)["ece"] for one in own]))
        panels[name] = (f"ECE {number(ece)}", _reliable(own, W))
    return Multiples(
        title="Do the probabilities hold?",
        lines=(
            f"On average pneumonia is predicted with {number(stated[least])} ({least}) to {number(stated[most])} "
            f"({most}); {number(float(np.mean(first.label)))} of the images show it.",
            "Below the dotted line a probability of pneumonia is higher than the share of such images that show it.",
        ),
        key=(
            "Across: predicted probability, in ten bins. Up: share of pneumonia among the images of a bin, with 95 % "
            f"of resampled patients and trainings; a bin with fewer than {FEW} images is an open circle, whose band "
            "says little. Bars: where the images are."
        ),
        panels=multiples.draw(panels, "Reliability", HALVES, HALVES),
    )


def decision_curves(models: Models, reference: str, W: np.ndarray) -> Multiples:
    """The net benefit of acting on each plugin's probabilities, beside all, none and the reference's."""
    t, first = THRESHOLDS, next(iter(models.values()))[0]
    everybody = net_benefit.of_treating_all(first.label, t)
    beside = bands.mean(models[reference], _benefit)
    panels, at_half = {}, {}
    for name, own in models.items():
        band = bands.of(own, _benefit, W)
        at_half[name] = float(band.value[np.argmin(np.abs(t - AT))])
        shown = bands.of(own, _gain, W).low > 0

        def drawing(axes: Any, name: str = name, band: Band = band) -> None:
            multiples.beside(axes, t, everybody, dashed=True)
            multiples.beside(axes, t, np.zeros(len(t)), dashed=True)
            if name != reference:
                multiples.beside(axes, t, beside)
            multiples.line(axes, t, band)

        panels[name] = (_range(t, shown), drawing)
    ill = float(np.mean(first.label))
    least, most = min(at_half, key=at_half.__getitem__), max(at_half, key=at_half.__getitem__)
    return Multiples(
        title="What is it worth to act on them?",
        lines=(
            f"Whoever acts at a threshold of {number(AT)} gains {number(at_half[least])} ({least}) to "
            f"{number(at_half[most])} ({most}) true positives an image, net of false ones; acting on every image "
            f"gains {number(2 * ill - 1) if ill > AT else 'less than nothing'}, on none 0.",
            f"It holds for {_percent(ill)} of pneumonia, as among these images; another share gives other curves.",
        ),
        key=(
            "Decision curves. Across: the threshold t (to .95) from which one acts, at which a false positive costs "
            "t / (1 - t) of what a true one gains. Up: net benefit an image. Dashed: acting on all, and on none; thin: "
            f"{reference}. Above each: the thresholds at which the plugin is shown to be better than both (95 %, each "
            "threshold for itself)."
        ),
        panels=multiples.draw(panels, "Decision curve", HALVES, np.array([0, round(ill / 2, 2), round(ill, 2)])),
    )


def selections(models: Models, reference: str, W: np.ndarray) -> Multiples:
    """The errors of each plugin where it answers only the share of the images that it is most certain of."""
    of = {name: bands.of(own, _errors, W) for name, own in models.items()}
    place = int(np.argmin(np.abs(selective.COVERAGES - MOST_CERTAIN)))
    top = max(0.1, np.ceil(10 * max(float(band.high[place:].max()) for band in of.values())) / 10)

    def drawing(name: str) -> Callable[[Any], None]:
        def on(axes: Any) -> None:
            if name != reference:
                multiples.beside(axes, selective.COVERAGES, of[reference].value)
            multiples.line(axes, selective.COVERAGES, of[name])

        return on

    errors = {name: (float(band.value[-1]), float(band.value[place])) for name, band in of.items()}
    best = min(errors, key=lambda name: errors[name][1])
    named = dict.fromkeys((reference, best))
    return Multiples(
        title="Are they less often wrong where they are certain?",
        lines=(
            f"Of all images and of the {SURE} that it is most certain of, "
            + "; ".join(
                f"{name} decides {_percent(errors[name][0])} and {_percent(errors[name][1])} wrongly" for name in named
            )
            + ".",
            "A line that does not fall to the left means that the plugin's certainty says nothing about its errors.",
        ),
        key=(
            "Selective prediction. Across: the share of the images that are answered, those furthest from the "
            f"threshold in log odds first. Up: the share of these that is wrong, with 95 % bands; thin: {reference}. "
            f"Above each: the errors of all, and of the most certain {SURE}."
        ),
        panels=multiples.draw(
            {n: (f"{100 * every:.1f} → {_percent(few)}", drawing(n)) for n, (every, few) in errors.items()},
            "Coverage against error",
            HALVES,
            np.array([0, top / 2, top]),
        ),
    )


def _reliable(own: Sequence[Predictions], W: np.ndarray) -> Callable[[Any], None]:
    label, probability = (np.concatenate([getattr(one, name) for one in own]) for name in ("label", "probability"))
    curve = calibration.reliability(label, probability)
    filled = np.unique(calibration.bins(probability))
    each = [calibration.binned(one.label, one.probability, W) for one in own]
    taken = bands.chosen(len(own), len(W)), np.arange(len(W))
    images, ill = (np.stack(counts)[taken].sum(0)[:, filled] for counts in zip(*each, strict=True))
    with np.errstate(invalid="ignore"):
        drawn = np.ma.masked_invalid(ill / images)
    low, high = (np.nanquantile(drawn.filled(np.nan), tail, axis=0) for tail in bands.TAILS)

    def drawing(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], ":", color=SOFT, lw=0.9)
        axes.bar((filled + 0.5) / 10, 0.22 * curve.counts / curve.counts.max(), 0.08, color=SOFT, alpha=0.3, lw=0)
        multiples.line(axes, curve.stated, Band(curve.observed, low, high))
        few = curve.counts < FEW * len(own)
        for which, face in ((~few, MARK), (few, PAGE)):
            axes.plot(
                curve.stated[which], curve.observed[which], "o", ms=3.2, mfc=face, mec=MARK, mew=0.9, clip_on=False
            )

    return drawing


def _benefit(model: Predictions, W: np.ndarray) -> np.ndarray:
    return net_benefit.benefits(model.label, model.probability, W, THRESHOLDS)


def _gain(model: Predictions, W: np.ndarray) -> np.ndarray:
    """Net benefit beyond the better of acting on all and on none."""
    everybody = net_benefit.benefits(model.label, np.ones(len(model)), W, THRESHOLDS)
    return _benefit(model, W) - np.maximum(everybody, 0)


def _errors(model: Predictions, W: np.ndarray) -> np.ndarray:
    return selective.errors(model.label, model.probability, model.operating.threshold, W)


def _range(thresholds: np.ndarray, shown: np.ndarray) -> str:
    """From which to which threshold, the longest run of them; a dash where there is none."""
    runs = np.flatnonzero(np.diff(np.r_[False, shown, False].astype(int))).reshape(-1, 2)
    if not len(runs):
        return "nowhere better"
    first, after = runs[np.argmax(runs[:, 1] - runs[:, 0])]
    return f"better from {number(thresholds[first])[:3]} to {number(thresholds[after - 1])[:3]}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
