"""Is a difference between two plugins the same at another site as at home: a test of the difference of differences."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pneumobench.evaluation import labels, paired, words
from pneumobench.evaluation.family import ALPHA, Family
from pneumobench.evaluation.pair import Pair
from pneumobench.evaluation.paired import SEEDS, Models
from pneumobench.evaluation.variance import Spread, Trainings, spread

RESAMPLES = 2_000
KEPT = 0.5  # the share of a difference at home that it may lose, or gain, elsewhere and still be called the same

Answer = Literal["the same", "smaller", "larger", "of the other sign", "different", "cannot be told"]
Sides = tuple[Trainings, Trainings]  # a plugin's figures at one site, and its reference's


@dataclass(frozen=True)
class Contrast:
    """A pair's difference at a site less its difference at home; the interval is corrected for all pairs, as p is.

    `answer` is "the same" where the site is shown to keep more than half of the difference at home and not to add more
    than half of it; "smaller", "larger" or "of the other sign" (shown at the site itself) where the two differ;
    "different" where they differ and no difference was detected at home; else it cannot be told.
    """

    plugin: str
    reference: str
    site: str
    home: Pair
    away: Pair
    difference: float
    low: float
    high: float
    p: float
    p_corrected: float
    df: float
    answer: Answer

    @property
    def sentence(self) -> str:
        """The answer in words, with what it rests on."""
        what = f"{self.plugin} less {self.reference} in {labels.label(self.home.metric)}"
        if self.home.metric != self.away.metric:
            what += f" at home and in {labels.label(self.away.metric)} there"
        change = words.difference(self.difference, self.low, self.high)
        at = (
            f"at home {words.difference(self.home.difference, self.home.low, self.home.high)}, at {self.site} "
            f"{words.difference(self.away.difference, self.away.low, self.away.high)}"
        )
        answers: dict[Answer, str] = {
            "the same": f"as at home, to within half of it: {what}",
            "cannot be told": f"whether the difference is the same as at home cannot be told: {what}",
            "different": f"the difference is not that at home, where none was detected: {what}",
        }
        answer = answers.get(self.answer, f"the difference is {self.answer} than at home: {what}")
        if self.answer == "of the other sign":
            answer = f"the difference is of the other sign: {what}"
        return f"{self.site}: {answer}; {at}; change {change}, corrected p {words.p_value(self.p_corrected)}."

    def __json__(self) -> dict[str, Any]:
        pairs = {name: getattr(self, name).difference for name in ("home", "away")}
        return vars(self) | pairs | {"metrics": [self.home.metric, self.away.metric], "sentence": self.sentence}


def contrasts(
    site: str,
    home: Mapping[str, Models],
    away: Mapping[str, Models],
    pairs: Sequence[tuple[Pair, Pair]],
    *,
    trainings: Mapping[str, Sequence[Hashable]] | None = None,
    shared: Collection[frozenset[str]] = (),
    resamples: int = RESAMPLES,
) -> list[Contrast]:
    """The contrast of each pair, given as (at home, away), of the same trained models judged at home and away.

    The patients of the two sites are independent, so that their variances add; the trainings are the same at both, so
    that the variance between them is that of each training's own change. Degrees of freedom are Welch's and
    Satterthwaite's (Welch, Biometrika 34, 1947). `trainings` and `shared` are as in `paired.compare`. That a difference
    is the same is shown as in a trial of non-inferiority that keeps half of an effect (FDA, Non-Inferiority Clinical
    Trials, 2016): by intervals of away less half, and of one and a half less away, that both exclude 0.
    """
    names = list(dict.fromkeys(name for pair, _ in pairs for name in (pair.plugin, pair.reference)))
    at_home = paired.sides({n: home[n] for n in names}, pairs[0][0].metric, resamples=resamples, seed=0)
    at_site = paired.sides({n: away[n] for n in names}, pairs[0][1].metric, resamples=resamples, seed=1)
    patients = (
        Family(home, pairs[0][0].metric, 1).patients,
        Family(away, pairs[0][1].metric, 1).patients,
    )
    found = []
    for one, other in pairs:
        pair = (one.plugin, one.reference)
        rows = _rows([trainings[name] for name in pair] if trainings and frozenset(pair) in shared else None)
        sides = [_taken((where[pair[0]], where[pair[1]]), rows) for where in (at_home, at_site)]
        found.append(_contrast(site, (one, other), (sides[0], sides[1]), patients, rows is not None, len(pairs)))
    return found


def change(home: Sides, away: Sides, patients: tuple[int, int], *, kept: float = 1.0, linked: bool = False) -> Spread:
    """The spread of a difference away less `kept` times that at home, over both sites' patients and over trainings.

    The sides' resamples are of independent patients. `linked` says that the trainings of the two plugins belong
    together in order. With fewer than three trainings on a side the trainings stay fixed.
    """
    one, other = (_less(there, here, kept) for here, there in zip(home, away, strict=True))
    random = []
    if min(one.count, other.count) >= SEEDS:
        random = [one.less(other)] if linked else [one, other]
    over = spread(one.mean - other.mean, random, sum(patients))
    parts = [scale**2 * float(_variance(side[0].mean - side[1].mean)) for side, scale in ((home, kept), (away, 1.0))]
    P = sum(parts)
    variance = over.variance - over.patients + P  # the sum, without the resamples' chance covariance
    below = sum(part**2 / max(n - 1, 1) for part, n in zip(parts, patients, strict=True))
    below += sum((side.between / side.count) ** 2 / (side.count - 1) for side in random)
    df = max(variance**2 / below, 1.0) if below > 0 else float(max(sum(patients) - 2, 1))
    return Spread(variance, df, P, over.alike, over.span)


def _contrast(
    site: str, pairs: tuple[Pair, Pair], sides: tuple[Sides, Sides], patients: tuple[int, int], linked: bool, size: int
) -> Contrast:
    here, there = (one.value - other.value for one, other in sides)
    over = change(*sides, patients, linked=linked)
    tail = ALPHA / (2 * size)
    value, half = there - here, over.t(tail) * over.error
    p = 2 * over.tail(abs(value)) if not over.is_unanimous else float(value == 0)
    sign = 1 if here >= 0 else -1
    least, most = sign * there - KEPT * sign * here, (2 - KEPT) * sign * here - sign * there
    is_same = all(
        margin > (spread := change(*sides, patients, kept=kept, linked=linked)).t(tail) * spread.error
        for margin, kept in ((least, KEPT), (most, 2 - KEPT))
    )
    return Contrast(
        plugin=pairs[0].plugin,
        reference=pairs[0].reference,
        site=site,
        home=pairs[0],
        away=pairs[1],
        difference=value,
        low=value - half,
        high=value + half,
        p=p,
        p_corrected=min(1.0, size * p),
        df=over.df,
        answer=_answer(pairs, sign * value - half, sign * value + half, sign, is_same=is_same),
    )


def _answer(pairs: tuple[Pair, Pair], low: float, high: float, sign: int, *, is_same: bool) -> Answer:
    """`low` and `high` bound the change in the direction of the difference at home."""
    home, away = pairs
    if home.verdict == "no difference detected":
        return "different" if low > 0 or high < 0 else "cannot be told"
    if high < 0:
        is_opposite = away.high < 0 if sign > 0 else away.low > 0
        return "of the other sign" if is_opposite else "smaller"
    if low > 0:
        return "larger"
    return "the same" if is_same else "cannot be told"


def _less(away: Trainings, home: Trainings, kept: float) -> Trainings:
    return Trainings(away.points - kept * home.points, away.draws - kept * home.draws)


def _rows(keys: list[Sequence[Hashable]] | None) -> list[list[int]] | None:
    """Which trainings of each side belong together, in order."""
    if keys is None:
        return None
    both = [key for key in keys[0] if key in keys[1]]
    return [[list(own).index(key) for key in both] for own in keys] if len(both) >= SEEDS else None


def _taken(sides: Sides, rows: list[list[int]] | None) -> Sides:
    return sides if rows is None else (sides[0].take(rows[0]), sides[1].take(rows[1]))


def _variance(draws: np.ndarray) -> float:
    return float(np.nanvar(draws, ddof=1))
