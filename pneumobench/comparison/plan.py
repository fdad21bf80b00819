"""What a comparison would need: from the variances of tracked trainings, how many more and how many test patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pneumobench.authoring.differences import REFERENCE
from pneumobench.comparison import select
from pneumobench.data.lockbox import Margin
from pneumobench.errors import UsageError
from pneumobench.evaluation import paired, power
from pneumobench.evaluation.labels import label
from pneumobench.evaluation.power import Components
from pneumobench.tracking.runs import TrackedRun
from pneumobench.utils.files import whole_file
from pneumobench.utils.shown import Shown
from pneumobench.utils.tables import Part, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESAMPLES = 2000
TRAININGS = (3, 5, 10)  # a side, of which the table says what they would show
CURVE = range(3, 31)


@dataclass(frozen=True)
class Need:
    """What a plugin's difference from the reference needs to be found with a probability of 0.8, as one of the pairs.

    `trainings` a side on the present test patients, and test `patients` with as many trainings as there are; None
    where no number is enough. `detectable` is by trainings a side; `floor` is what the present test patients can never
    show less than, however many trainings.
    """

    plugin: str
    seeds: int
    trainings: int | None
    patients: int | None
    detectable: dict[int, float]
    floor: float


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """The needs of each plugin with two trainings or more; `curves` are detectable differences by CURVE trainings."""

    reference: str
    metric: str
    difference: float
    patients: int
    pairs: int
    needs: tuple[Need, ...]
    curves: dict[str, list[float]]
    left_out: tuple[str, ...]
    margin: Margin | None = None

    def sentences(self) -> list[str]:
        """What the table says, in words."""
        lines = []
        for need in self.needs:
            start = f"{need.plugin} against {self.reference}: a true difference of {self.difference:.3f} in "
            start += f"{label(self.metric)} "
            never = f"cannot be shown on these {self.patients} test patients (never less than {need.floor:.3f})"
            if need.trainings is not None:
                lines.append(f"{start}is found with a probability of 0.8 by {need.trainings} trainings a side.")
            elif need.patients is not None:
                lines.append(f"{start}{never}; {need.patients:,} would do, with {need.seeds} trainings a side.")
            else:
                lines.append(f"{start}{never}, nor on any number with {need.seeds} trainings a side.")
        return lines

    def headline(self) -> str:
        """What is to be found, and against which plugin."""
        where = f"{self.patients} test patients"
        return f"plan for a difference of {self.difference:g} in {label(self.metric)} from {self.reference}, {where}"

    def parts(self) -> list[Part]:
        """What is needed in words, and the differences that are detectable as a table."""
        headings = ["plugin", "trainings\nneeded", "patients\nneeded"]
        headings += [*(f"by {n}\na side" for n in TRAININGS), "never\nless"]
        rows = [
            [
                need.plugin,
                "never" if need.trainings is None else str(need.trainings),
                "never" if need.patients is None else f"{need.patients:,}",
                *(f"{value:.3f}" for value in need.detectable.values()),
                f"{need.floor:.3f}",
            ]
            for need in self.needs
        ]
        named = self.margin
        return [
            *self.sentences(),
            table(headings, rows, styles={"plugin": "bold"}, right=headings[1:]),
            f"For each number of trainings a side the difference that is found with a probability of 0.8 on these "
            f"{self.patients} test patients, as one of {self.pairs} pairs (Bonferroni); patients needed are with as "
            "many trainings as there are.",
            *(f"Left out: {one}." for one in self.left_out),
            *(
                [f"Margin {named.margin:g} for {named.metric} is in the ledger since {named.when[:10]}."]
                if named
                else []
            ),
        ]

    def records(self) -> Iterator[dict[str, Any]]:
        """What each plugin needs, and what is detectable by trainings a side."""
        for need in self.needs:
            yield {
                "plugin": need.plugin,
                "trainings_needed": need.trainings,
                "patients_needed": need.patients,
                **{f"detectable_by_{count}": value for count, value in need.detectable.items()},
                "floor": need.floor,
            }

    def plot(self) -> Figure:
        """Detectable differences by trainings a side, a curve for each plugin."""
        from pneumobench.utils.drawing import Drawing

        figure = Drawing(figsize=(7, 4.5), label="detectable differences")
        axes = figure.subplots()
        for plugin, values in self.curves.items():
            axes.plot(CURVE, values, label=plugin)
        axes.axhline(self.difference, linestyle=":", color="grey", label=f"difference {self.difference:g}")
        axes.set(
            xlabel="trainings a side",
            ylabel=f"detectable difference in {label(self.metric)}",
            title=f"against {self.reference}, {self.patients} test patients, power 0.8, {self.pairs} pairs",
            ylim=(0, None),
        )
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        return figure

    def draw(self, path: Path) -> Path:
        """Write the plot into a file. Raises: UsageError where it cannot be written."""
        try:
            with whole_file(path) as building:
                self.plot().savefig(building, bbox_inches="tight", dpi=120, format=path.suffix[1:] or "png")
        except (OSError, ValueError) as error:  # matplotlib's, of a format that it does not know
            raise UsageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error
        return path

    def with_margin(self, margin: Margin) -> Plan:
        """The same, with the margin of a later comparison that is in the ledger."""
        return replace(self, margin=margin)

    def __json__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "margin"}


def plan(
    runs: Sequence[TrackedRun],
    names: Sequence[str] = (),
    *,
    against: str = REFERENCE,
    metric: str = "auroc",
    difference: float = 0.01,
) -> Plan:
    """What plugins, or the runs that ids name, need so that a difference of this size from the reference is found.

    Raises: UsageError for a difference that is not positive, or where fewer than two plugins have two trainings.
    """
    paired.check(metric)
    if not difference > 0:
        raise UsageError(f"--difference is above 0, not {difference:g}")
    experiments = select.pick(runs, names, against).experiments
    models = {select.label(one, experiments): one.predictions("test") for one in experiments}
    reference = next(select.label(one, experiments) for one in experiments if select.names(one, against))
    many = {name: own for name, own in models.items() if len(own) > 1}
    if reference not in many or len(many) < 2:
        raise UsageError(
            f"planning takes two trainings of {reference} and of another plugin at least, for one shows nothing of the "
            f"next; `pneumobench run {reference} --seeds 3` makes them"
        )
    patients = len(np.unique(many[reference][0].patient))
    sides = paired.sides(many, metric, resamples=RESAMPLES)
    pairs = len(many) - 1
    needs, curves = [], {}
    for name in many:
        if name == reference:
            continue
        known = power.components(sides[name], sides[reference], patients)
        needs.append(_need(name, known, min(len(many[name]), len(many[reference])), difference, pairs))
        curves[name] = [power.detectable(known, count, pairs=pairs) for count in CURVE]
    return Plan(
        reference=reference,
        metric=metric,
        difference=difference,
        patients=patients,
        pairs=pairs,
        needs=tuple(sorted(needs, key=lambda need: need.floor)),
        curves=curves,
        left_out=tuple(f"{name}: one training" for name in models if name not in many),
    )


def _need(name: str, known: Components, seeds: int, difference: float, pairs: int) -> Need:
    trainings = max(seeds, paired.SEEDS)
    return Need(
        plugin=name,
        seeds=trainings,
        trainings=power.trainings_needed(known, difference, pairs=pairs),
        patients=power.patients_needed(known, difference, trainings, pairs=pairs),
        detectable={count: power.detectable(known, count, pairs=pairs) for count in TRAININGS},
        floor=power.floor(known, pairs=pairs),
    )
