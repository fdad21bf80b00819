"""What is known of one plugin against another, and the sentence that it supports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pneumobench.evaluation import labels, words

Verdict = Literal["better", "worse", "no difference detected"]
Equivalence = Literal["equivalent", "no worse", "not shown"]


@dataclass(frozen=True)
class Pair:
    """A plugin against the reference; `difference` is the plugin's figure less the reference's.

    The interval holds together with those of all `pairs` of the family in 95 % of comparisons: its own coverage is
    `coverage`. `p_corrected` is corrected in the same way (Bonferroni), so that it is below 0.05 exactly where the
    interval excludes 0. `detectable` is the true difference that would be found with a probability of 0.8. If
    `of_plugins`, all this is over patients and trainings, else over patients for these trained models. With a
    `margin`, `equivalence` says what the interval shows of it; `p_no_worse` and `p_equivalent` are corrected. DeLong's
    p (patients as clusters) and McNemar's (images as independent) are of single models, else None.
    """

    plugin: str
    reference: str
    metric: str
    difference: float
    low: float
    high: float
    coverage: float
    pairs: int
    p: float
    p_corrected: float
    detectable: float
    verdict: Verdict
    of_plugins: bool
    df: float
    margin: float | None = None
    p_no_worse: float | None = None
    p_equivalent: float | None = None
    equivalence: Equivalence | None = None
    delong_p: float | None = None
    mcnemar_p: float | None = None
    note: str = ""

    @property
    def sentence(self) -> str:
        """What may be said, in words."""
        who, other = (self.plugin, self.reference)
        if not self.of_plugins:
            who, other = f"these trained models of {who}", f"those of {other}"
        name = labels.label(self.metric)
        if self.verdict == "no difference detected":
            text = (
                f"Between {who} and {other} no difference in {name} was detected: {self.figures}; a true difference of "
                f"{self.detectable:.3f} would be found with a probability of 0.8"
            )
        else:
            subject = who if self.of_plugins else f"T{who[1:]}"
            text = (
                f"{subject} {'is' if self.of_plugins else 'are'} {self.verdict} than {other} in {name}: {self.figures}"
            )
        text += "." if not self.note else f" ({self.note})."
        return text + (f" {self._of_margin(who, other)}" if self.equivalence else "")

    @property
    def figures(self) -> str:
        """The difference, its interval and what kind it is, and p."""
        interval = words.difference(self.difference, self.low, self.high)
        if self.pairs == 1:
            return f"{interval}, p {words.p_value(self.p)}"
        return f"{interval} (95 % for all {self.pairs} pairs together), corrected p {words.p_value(self.p_corrected)}"

    def __json__(self) -> dict[str, Any]:
        return vars(self) | {"sentence": self.sentence}

    def _of_margin(self, who: str, other: str) -> str:
        subject = f"{who[0].upper()}{who[1:]}" if not self.of_plugins else who
        be = "is" if self.of_plugins else "are"
        if self.equivalence == "equivalent":
            return f"{subject} {be} equivalent to {other} within {self.margin:.3f}."
        if self.equivalence == "no worse":
            return f"{subject} {be} no worse than {other} by more than {self.margin:.3f}."
        return f"That {who} {be} no worse than {other} by more than {self.margin:.3f} was not shown."
