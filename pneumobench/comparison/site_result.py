"""What judging frozen models on another site's images gave: each plugin's figures there beside those at home."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.labels import WITHIN, label
from pneumobench.evaluation.words import figure, number, signed


@dataclass(frozen=True)
class SiteStanding:
    """A plugin's figures at home (None where its test images stayed closed) and at the site."""

    name: str
    run_ids: tuple[str, ...]
    thresholds: tuple[float, ...]
    home: dict[str, Estimate] | None
    away: dict[str, Estimate]

    def at_the_threshold(self) -> str:
        """What the frozen threshold does here, and how far the probabilities hold."""
        at = (f"{label(name)} {figure(self.away[name])}" for name in ("sensitivity", "specificity"))
        large, slope = (self.away[f"calibration_{name}"] for name in ("in_the_large", "slope"))
        return f"{self.name}: {', '.join(at)}; calibration in the large {signed(large)}, slope {signed(slope)}."

    def __json__(self) -> dict[str, Any]:
        return vars(self)


@dataclass(frozen=True)
class SiteResult:
    """One site: its images, how often they had been looked at before, and the standing of each plugin, the best first.

    `alone` is, by a column of two values, the first value and the AUROC of it as the sign of pneumonia.
    """

    site: str
    dataset: str
    fingerprint: str
    home: str
    counts: dict[str, int]
    patients: int
    within: str
    alone: tuple[str, float] | None
    looks: int
    standings: tuple[SiteStanding, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def images(self) -> int:
        """How many images were judged."""
        return sum(self.counts.values())

    @property
    def title(self) -> str:
        """What was judged, in a line."""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        return f"Frozen models of {self.home} on {self.images:,} images of {self.site} ({counts})"

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence or two each."""
        lines = [
            "In brackets 95 % intervals over patients (and trainings, where there are several). Nothing was trained or "
            "tuned: thresholds are those that validation chose at home.",
            "Calibration in the large is 0, and the slope 1, where probabilities hold here; both are diagnoses.",
        ]
        lines += [one.at_the_threshold() for one in self.standings]
        if self.within:
            lines.append(
                f"Within {self.within}: inside each of its values, weighted by their pairs of an ill and a well image."
            )
        if self.alone:
            sign, area = self.alone
            lines.append(f"{self.within} alone, with {sign} as the sign of pneumonia, scores AUROC {number(area)}.")
        lines.append(f"Looks at these images before this one: {self.looks} (`pneumobench ledger`).")
        if self.dataset == "phantom":
            lines.append("These images are synthetic: nothing here is about patients.")
        return lines + [f"{note}." for note in self.notes]

    def __json__(self) -> dict[str, Any]:
        return {("plugins" if name == "standings" else name): value for name, value in vars(self).items()}


def order(standing: SiteStanding, within: str) -> float:
    """What standings are sorted by: the AUROC within the column, or the AUROC."""
    return -standing.away[f"{WITHIN}{within}" if within else "auroc"].value
