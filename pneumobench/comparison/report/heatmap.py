"""What stress took from each plugin, as a table whose cells are shaded by the loss of AUROC; controls set apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pneumobench.comparison.comparison import Comparison, Standing
from pneumobench.comparison.report.svg import cut
from pneumobench.comparison.stress_figures import CLEAN, Said, areas, by_kind, controls, without_lungs
from pneumobench.evaluation.words import figure, number
from pneumobench.tracking import stressed
from pneumobench.tracking.stressed import HOME, Stressed
from pneumobench.training import alterations

MOST = 0.3  # the loss of AUROC that is shaded most; so is so much above chance on a control
DARKEST = 50  # percent of the colour


@dataclass(frozen=True)
class Cell:
    """A figure in words, its number, for sorting, and how much of the colour is behind it, in percent."""

    text: str
    value: float
    shade: int


@dataclass(frozen=True)
class HeatMap:
    """One site's: the plugins, a row for each kind of alteration, one for each control, and what is said of them."""

    site: str
    plugins: tuple[str, ...]
    clean: tuple[Cell, ...]
    mean: tuple[Cell, ...]
    kinds: dict[str, tuple[Cell, ...]]
    controls: dict[str, tuple[Cell, ...]]
    floors: dict[str, float]
    sentences: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def place(self) -> str:
        """Whose images these are, in words."""
        return "altered test images" if self.site == HOME else f"altered images of {self.site}"


def of(comparison: Comparison) -> list[HeatMap]:
    """A heat map for each site at whose altered images a plugin of the comparison was tried with all of its models."""
    sites = dict.fromkeys(
        site for one in comparison.standings for run in one.experiment.runs for site in stressed.sites(run.tags)
    )
    maps = (_of_site(site, comparison.standings) for site in sorted(sites, key=lambda site: (site != HOME, site)))
    return [one for one in maps if one is not None]


def _of_site(site: str, standings: Sequence[Standing]) -> HeatMap | None:
    looks = {one.name: _looks(one, site) for one in standings}
    pixels = Counter((own[0].seed, own[0].version) for own in looks.values() if own)
    if not pixels:
        return None
    usual = pixels.most_common(1)[0][0]
    said = {
        one.name: _said(one, site)
        for one in standings
        if looks[one.name] and {(own.seed, own.version) for own in looks[one.name]} == {usual}
    }
    said = {name: own for name, own in said.items() if own}
    if not said:
        return None
    figures = {name: areas(own) for name, own in said.items()}
    kept = {name: controls(own) for name, own in said.items()}
    floors = next((looks[name][0].floors for name in said), {})
    kinds = {name: by_kind(own) for name, own in figures.items()}
    clean = {name: own[CLEAN] for name, own in figures.items()}
    means = {name: sum(own.values()) / len(own) for name, own in kinds.items()}
    order = sorted(said, key=lambda name: -means[name])
    return HeatMap(
        site=site,
        plugins=tuple(map(cut, order)),
        clean=tuple(Cell(number(clean[name]), clean[name], 0) for name in order),
        mean=tuple(_cell(means[name], clean[name] - means[name]) for name in order),
        kinds={
            kind: tuple(_cell(kinds[name][kind], clean[name] - kinds[name][kind]) for name in order)
            for kind in alterations.CORRUPTIONS
        },
        controls={
            control: tuple(
                Cell(figure(kept[name][control]), kept[name][control].value, _shade(kept[name][control].value - 0.5))
                for name in order
            )
            for control in alterations.CONTROLS
        },
        floors=dict(floors),
        sentences=tuple(line for name in order for line in without_lungs(name, kept[name], floors)),
        left_out=tuple(
            f"{one.name} {'was altered by another seed or version' if looks[one.name] else 'was not tried there'}"
            for one in standings
            if one.name not in said
        ),
    )


def _looks(one: Standing, site: str) -> list[Stressed]:
    """Each training's look at the altered images; [] unless all trainings have one."""
    found = [stressed.sites(run.tags).get(site) for run in one.experiment.runs]
    return [own for own in found if own is not None] if None not in found else []


def _said(one: Standing, site: str) -> Said:
    """Every training's predictions by alteration; {} where those of a training are not at hand."""
    each = [own for run in one.experiment.runs if (own := stressed.read(run, site)) is not None]
    whole = len(each) == len(one.experiment.runs)
    return {name: [own[name] for own in each] for name in each[0]} if whole else {}


def _cell(value: float, loss: float) -> Cell:
    return Cell(number(value), value, _shade(loss))


def _shade(excess: float) -> int:
    return round(DARKEST * min(max(excess, 0.0) / MOST, 1.0))
