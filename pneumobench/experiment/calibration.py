"""How well a run's probabilities are met before and after they were calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.words import figure, number, signed

Figures = dict[str, Estimate]
SHOWN = (("ece", "ECE", figure), ("brier", "Brier score", figure), ("calibration_slope", "slope", signed))


@dataclass(frozen=True)
class Calibration:
    """ECE, Brier score, calibration in the large and slope, before and after, by part of the split.

    `temperatures` are those of each training; empty for isotonic regression.
    """

    kind: str
    temperatures: tuple[float, ...]
    before: dict[str, Figures]
    after: dict[str, Figures]

    def sentences(self) -> list[str]:
        """What came out, a sentence for each part."""
        how = self.kind
        if self.temperatures:
            how += f" {', '.join(f'{value:.2f}' for value in self.temperatures)}"
        lines = []
        for part, before in self.before.items():
            after = self.after[part]
            changes = [f"{name} {show(before[key])} before, {show(after[key])} after" for key, name, show in SHOWN]
            fitted = " (which it was fitted on)" if part == "validation" else ""
            lines.append(f"Calibrated by {how} on validation; {part} images{fitted}: {'; '.join(changes)}.")
        ece = {part: (own["ece"].value, self.after[part]["ece"].value) for part, own in self.before.items()}
        if "test" in ece and ece["test"][1] > ece["test"][0]:
            lines.append(
                f"Calibration on validation did not help on the test images: ECE {number(ece['test'][0])} became "
                f"{number(ece['test'][1])}."
            )
        return lines

    def __json__(self) -> dict[str, Any]:
        return vars(self)
