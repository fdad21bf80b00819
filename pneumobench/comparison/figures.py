"""One experiment's figures apart from the whole of its test images: in groups, at other sites, on altered images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pneumobench.comparison import stress_figures
from pneumobench.evaluation import estimates, recalibration, subgroups
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking import judged, stressed
from pneumobench.tracking.judged import Judged
from pneumobench.tracking.runs import Experiment
from pneumobench.tracking.stressed import HOME, Stressed
from pneumobench.training import alterations

IN_GROUPS = ("auroc", "sensitivity", "specificity")
AWAY = (*IN_GROUPS, "ppv", "npv", "brier", "ece")
FEW = 12  # values of a column that are counted; numbers with more are told by their range


@dataclass(frozen=True)
class GroupFigures:
    """A group of test images: its images by class, and its figures by metric.

    Of a group of one class, figures of that class are the group's, AUROC is against all images of the other one
    (`against` names it), and there are none of that other class.
    """

    column: str
    name: str
    counts: Mapping[str, int]
    against: str
    figures: Mapping[str, Estimate]


@dataclass(frozen=True)
class SiteFigures:
    """A site where the frozen models were judged: the look, its images by class, patients, and figures by metric."""

    judged: Judged
    counts: Mapping[str, int]
    patients: int
    figures: Mapping[str, Estimate]
    calibration: Mapping[str, Estimate]


@dataclass(frozen=True)
class AlteredFigures:
    """AUROC (mean over trainings) on a site's images as they are, by kind of alteration (mean of the severities), and
    on images without lungs."""

    stressed: Stressed
    images: int
    clean: float
    kinds: Mapping[str, float]
    controls: Mapping[str, float]

    @property
    def is_home(self) -> bool:
        """Whether these are the model's own test images."""
        return self.stressed.site == HOME


def by_group(models: Sequence[Predictions]) -> list[GroupFigures]:
    """Figures in the groups of every column of the test images that has groups large enough (see `subgroups`)."""
    first, found = models[0], []
    for column, values in {"subtype": first.subtype, **first.columns}.items():
        groups = subgroups.groups(first.label, values, column)
        if len(np.unique(values)) < 2:  # one group is all the images
            continue
        for name, rows in groups.rows.items():
            against = groups.against.get(name, "")
            only = tuple(metric for metric in IN_GROUPS if metric != _OF.get(against))
            figures = estimates.evaluate([model.take(rows) for model in models], only=only)
            found.append(GroupFigures(column, name, _counts(first.label[rows]), against, figures))
    return found


_OF = {"normal": "specificity", "pneumonia": "sensitivity"}  # the figure of a class alone


def at_sites(experiment: Experiment) -> list[SiteFigures]:
    """Figures at every site where all models of an experiment were judged."""
    known = [judged.sites(run.tags) for run in experiment.runs]
    found = []
    for site, look in known[0].items():
        if all(site in own for own in known):
            models = experiment.predictions(judged.part(site))
            found.append(
                SiteFigures(
                    judged=look,
                    counts=_counts(models[0].label),
                    patients=len(np.unique(models[0].patient)),
                    figures=estimates.evaluate(models, only=AWAY),
                    calibration=recalibration.diagnoses(models),
                )
            )
    return found


def altered(experiment: Experiment) -> list[AlteredFigures]:
    """Figures on every site's altered images (the own test images are one) on which all models were tried."""
    known = [stressed.sites(run.tags) for run in experiment.runs]
    found = []
    for site, look in known[0].items():
        tables = [stressed.read(run, site) for run in experiment.runs]
        read = [table for table in tables if table is not None]
        if len(read) < len(tables):
            continue
        areas = stress_figures.areas({name: [one[name] for one in read] for name in read[0]})
        by_kind = {
            kind: [areas[name] for name in areas if name.rpartition(" ")[0] == kind] for kind in alterations.CORRUPTIONS
        }
        found.append(
            AlteredFigures(
                stressed=look,
                images=len(read[0][stress_figures.CLEAN]),
                clean=areas[stress_figures.CLEAN],
                kinds={kind: float(np.mean(own)) for kind, own in by_kind.items() if own},
                controls={name: areas[name] for name in alterations.CONTROLS if name in areas},
            )
        )
    return found


def characteristics(images: Predictions) -> dict[str, dict[str, int]]:
    """How many images have each value of a column (subtype, view, sex, …), "unknown" among them.

    A column of many numbers is told by its quarters; one of many words is left out.
    """
    found = {}
    for column, values in {"subtype": images.subtype, **images.columns}.items():
        named = subgroups.cut(values)
        names, counts = np.unique(named, return_counts=True)
        if len(names) <= FEW and any(names != ""):
            found[column] = {name or "unknown": int(n) for name, n in zip(names.tolist(), counts, strict=True)}
    return found


def _counts(labels: np.ndarray) -> dict[str, int]:
    return dict(zip(("normal", "pneumonia"), np.bincount(labels, minlength=2).tolist(), strict=True))
