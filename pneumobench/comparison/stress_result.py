"""What stress gave: each plugin's figures by kind of alteration, what is left without lungs, and paired differences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pneumobench.comparison.stress_figures import FLOORS, without_lungs
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.words import difference, p_value


@dataclass(frozen=True)
class StressPair:
    """A plugin's mean AUROC over all corruptions less the reference's, with an interval for all pairs together."""

    plugin: str
    reference: str
    difference: float
    low: float
    high: float
    p_corrected: float
    of_plugins: bool

    @property
    def sentence(self) -> str:
        """What may be said, in words."""
        who, other = self.plugin, self.reference
        if not self.of_plugins:
            who, other = f"the trained models of {who}", f"those of {other}"
        interval = f"{difference(self.difference, self.low, self.high)}, corrected p {p_value(self.p_corrected)}"
        if not self.p_corrected < 0.05:
            return f"On altered images no difference between {who} and {other} in mean AUROC was detected: {interval}."
        word = "better" if self.difference > 0 else "worse"
        return f"On altered images {who} {'is' if self.of_plugins else 'are'} {word} than {other}: {interval}."

    def __json__(self) -> dict[str, Any]:
        return vars(self) | {"sentence": self.sentence}


@dataclass(frozen=True)
class StressStanding:
    """A plugin's AUROC and accuracy at its threshold by kind (mean of three severities) and each control's AUROC.

    `clean` is the AUROC of the same images unaltered, by the same way through 256 pixels; `mean` over all corruptions.
    """

    name: str
    run_ids: tuple[str, ...]
    clean: Estimate
    mean: Estimate
    auroc: dict[str, float]
    accuracy: dict[str, float]
    by_severity: dict[str, float]
    controls: dict[str, Estimate]

    def __json__(self) -> dict[str, Any]:
        return vars(self)


@dataclass(frozen=True)
class StressResult:
    """The standings, the best mean first, on the altered images of one site (`test`: the test images at home).

    `floors` is, by control, the AUROC that the mean grey value of its images scores, in the better direction.
    """

    site: str
    dataset: str
    images: int
    looks: int
    seed: int
    standings: tuple[StressStanding, ...]
    pairs: tuple[StressPair, ...]
    floors: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [pair.sentence for pair in self.pairs]
        told = [line for one in self.standings for line in without_lungs(one.name, one.controls, self.floors)]
        lines += [f"{line}." for line in told]
        lines += [f"{FLOORS}."] if told and self.floors else []
        lines.append(
            "AUROC by kind, the mean of three severities; every model sees the same altered pixels. Nothing was "
            "trained or chosen by these figures."
        )
        lines.append(f"Looks at these images before this one: {self.looks} (`pneumobench ledger`).")
        if self.dataset == "phantom":
            lines.append("These images are synthetic: nothing here is about patients.")
        return lines + [f"{note}." for note in self.notes]

    def __json__(self) -> dict[str, Any]:
        return {("plugins" if name == "standings" else name): value for name, value in vars(self).items()}
