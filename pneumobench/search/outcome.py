"""What a study gives: its summary, as people look at it, and the folder with its plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pneumobench.search.summary import Summary
from pneumobench.utils.shown import Shown
from pneumobench.utils.tables import Grid, Part, styled, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Outcome(Shown):
    """A study's summary, the folder with its plots, and how many workers were replaced to free memory."""

    summary: Summary
    folder: Path | None = None
    replaced: int = 0

    def headline(self) -> str:
        """The trials by state, and the best value."""
        best = self.summary.best
        value = f"; best {self.summary.metric} {best[0].value:.4f} ({best[0].plugin})" if best else ""
        return counts(self.summary) + value

    def parts(self) -> list[Part]:
        """The best trials, each plugin's part of the search, and what a reader has to know beside them."""
        best = [_best(self.summary)] if self.summary.best else []
        return [
            styled((counts(self.summary), "bold")),
            *best,
            _budgets(self.summary),
            *remarks(self.summary, self.folder),
        ]

    def records(self) -> Iterator[dict[str, Any]]:
        """The best trials, with their knobs."""
        for one in self.summary.best:
            others = dict(zip(self.summary.others, one.others, strict=False))
            figures = {self.summary.metric: one.value, **others, "ties": one.ties}
            yield {"trial": one.number, "plugin": one.plugin, **figures, **one.params}

    def plot(self) -> Figure:
        """The values of the best trials, and the plots that were written are in `folder`."""
        from pneumobench.search.best_plot import draw

        return draw(self.summary)

    def __json__(self) -> Any:
        return self.summary


def counts(summary: Summary) -> str:
    """The trials by state in a line."""
    shown = [f"{count} {state}" for state, count in summary.states.items() if count]
    return f"study {summary.name}: {', '.join(shown) or 'no trial yet'}; {summary.target} wanted"


def remarks(summary: Summary, folder: Path | None = None) -> list[str]:
    """What a reader has to know beside the tables, and the line to type next."""
    lines = []
    if summary.ties:
        lines.append(
            f"Tie: on the validation images the best trial cannot be distinguished from {_listed(summary.ties)} "
            "(the 95 % intervals of the paired differences contain 0)."
        )
    if summary.pareto:
        lines.append(f"No other trial beats these in every objective: {_listed(summary.pareto)} (pareto.png).")
    if summary.repeats > 1:
        lines.append(f"Each value is the mean over {summary.repeats} seeds; models and pruning are of the first.")
    if summary.lopsided:
        lines.append(summary.lopsided)
    for plugin, weights in summary.importances.items():
        listed = ", ".join(f"{knob} {weight:.2f}" for knob, weight in weights.items())
        lines.append(f"Importance of {plugin}'s knobs: {listed}.")
    if summary.exhausted:
        lines.append(f"Ended early: there are fewer combinations than the {summary.target} trials wanted.")
    lines += [f"Failed {count} x: {error}" for error, count in summary.errors.items()]
    if summary.best:
        lines.append(
            f"{summary.metric} is on the validation images that chose the best of many: expect less on test images."
        )
    if folder is not None:
        lines.append(f"Plots and summary: {folder}")
    if summary.command:
        lines.append(f"next: {summary.command}")
    return lines


def _best(summary: Summary) -> Grid:
    rows = []
    for one in summary.best:
        prefix = f"{one.plugin}."
        knobs = ", ".join(
            f"{name.removeprefix(prefix)}={_short(value)}" for name, value in one.params.items() if name != "plugin"
        )
        ties = "" if one is summary.best[0] else {True: "yes", False: "no", None: "?"}[one.ties]
        others = [f"{value:.4g}" for value in one.others]
        rows.append((str(one.number), f"{one.value:.4f}", *others, ties, one.plugin, knobs))
    return table(("trial", summary.metric, *summary.others, "ties", "plugin", "knobs"), rows)


def _budgets(summary: Summary) -> Grid:
    rows = []
    for one in summary.budgets:
        best = "-" if one.best is None else f"{one.best:.4f}"
        rows.append((one.plugin, str(one.trials), str(one.pruned), f"{one.seconds:,.0f}", best))
    return table(("plugin", "trials", "pruned", "seconds", "best"), rows)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _listed(numbers: Sequence[int]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
