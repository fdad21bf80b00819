"""A study's summary, and the list of studies, as tables or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pneumobench.cli import render

if TYPE_CHECKING:
    from pneumobench.authoring.discovery import Entry
    from pneumobench.search.summary import Summary


def show_summary(summary: Summary, *, as_json: bool, folder: Path | None = None) -> None:
    """Print a summary to standard output."""
    if as_json:
        render.print_json(summary)
        return
    tables = [_best(summary)] if summary.best else []
    render.show(render.styled((counts(summary), "bold")), *tables, _budgets(summary), *remarks(summary, folder))


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


def show_list(entries: Sequence[Entry], summaries: Sequence[Summary], *, as_json: bool) -> None:
    """Print the files of studies and the studies of a storage."""
    if as_json:
        files = [{"name": e.name, "summary": e.summary, "origin": e.origin} for e in entries]
        render.print_json({"files": files, "studies": summaries})
        return
    questions = [(entry.name, entry.summary, entry.origin) for entry in entries]
    render.show(render.table(("study", "what it asks", "from"), questions))
    if not summaries:
        render.show("No study has been run here.")
        return
    rows = []
    for one in summaries:
        finished = one.states["complete"] + one.states["pruned"]
        best = f"{one.metric} {one.best[0].value:.4f} ({one.best[0].plugin})" if one.best else "-"
        cells = (one.name, finished, one.target, one.states["running"], one.states["fail"], best)
        rows.append([str(cell) for cell in cells])
    render.show(render.table(("in the storage", "finished", "wanted", "running", "failed", "best"), rows))


def _best(summary: Summary) -> render.Grid:
    rows = []
    for one in summary.best:
        prefix = f"{one.plugin}."
        knobs = ", ".join(
            f"{name.removeprefix(prefix)}={_short(value)}" for name, value in one.params.items() if name != "plugin"
        )
        ties = "" if one is summary.best[0] else {True: "yes", False: "no", None: "?"}[one.ties]
        others = [f"{value:.4g}" for value in one.others]
        rows.append((str(one.number), f"{one.value:.4f}", *others, ties, one.plugin, knobs))
    return render.table(("trial", summary.metric, *summary.others, "ties", "plugin", "knobs"), rows)


def _budgets(summary: Summary) -> render.Grid:
    rows = []
    for one in summary.budgets:
        best = "-" if one.best is None else f"{one.best:.4f}"
        rows.append((one.plugin, str(one.trials), str(one.pruned), f"{one.seconds:,.0f}", best))
    return render.table(("plugin", "trials", "pruned", "seconds", "best"), rows)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _listed(numbers: Sequence[int]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
