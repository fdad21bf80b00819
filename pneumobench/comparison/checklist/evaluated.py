"""What is tracked of how a model was evaluated: the answers that are figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pneumobench.comparison.card.results import spread
from pneumobench.comparison.facts import Facts
from pneumobench.evaluation.estimates import Estimate
from pneumobench.evaluation.labels import label
from pneumobench.evaluation.words import figure, number

ACCURACY = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy")
PERFORMANCE = ("auroc", "auprc", "brier", "ece")
PATIENT = ("sex", "age", "site", "race", "ethnicity")  # columns of patients, in which fairness is looked for


def internal(known: Facts) -> str | None:
    """Figures on validation, and on the release's own test images."""
    parts = {"validation": known.validation, "test": known.test or {}}
    said = [f"{part} AUROC {figure(own['auroc'])}" for part, own in parts.items() if own]
    return f"{known.tags['dataset']}: {'; '.join(said)}." if said else None


def external(known: Facts) -> str | None:
    """Figures at other sites."""
    if not known.sites:
        return None
    return f"As frozen: {_sites(known)}."


def clusters(known: Facts) -> str | None:
    """How differences between sites are handled."""
    return f"Each site is judged on its own: {_sites(known)}." if known.sites else None


def differences(known: Facts) -> str | None:
    """Shares of pneumonia at home and elsewhere."""
    if not known.sites or known.prevalence is None:
        return None
    shares = [f"at home {number(known.prevalence)}"]
    shares += [f"{s.judged.site} {number(s.counts['pneumonia'] / sum(s.counts.values()))}" for s in known.sites]
    return f"Share of pneumonia among test images: {', '.join(shares)}."


def robustness(known: Facts) -> str | None:
    """AUROC on altered images and without lungs."""
    if not known.altered:
        return None
    said = [
        f"{'test images' if one.is_home else one.stressed.site}: AUROC {number(one.clean)} as they are, "
        f"{spread(list(one.kinds.values()))} by kind of alteration, {spread(list(one.controls.values()))} where no "
        "lung can be read"
        for one in known.altered
        if one.kinds and one.controls
    ]
    return f"{'; '.join(said)}." if said else None


def performance(known: Facts) -> str | None:
    """The figures that need no threshold, on test images."""
    return _listed(known.test, PERFORMANCE)


def accuracy(known: Facts) -> str | None:
    """The figures at the threshold, on test images."""
    return _listed(known.test, ACCURACY)


def performance_and_groups(known: Facts) -> str | None:
    """Both, and those of groups."""
    if not known.test:
        return None
    return " ".join(filter(None, (performance(known), accuracy(known), _groups(known, ()))))


def fairness(known: Facts) -> str | None:
    """Figures in groups of patients."""
    return _groups(known, PATIENT)


def errors(known: Facts) -> str | None:
    """How many images are missed and falsely called."""
    if not known.test:
        return None
    models = known.experiment.predictions("test")
    missed = np.mean([((m.label == 1) & ~m.predicted).sum() for m in models])
    false = np.mean([((m.label == 0) & m.predicted).sum() for m in models])
    always = np.all([m.predicted != (m.label == 1) for m in models], axis=0).sum()
    several = f"; {always:,} images are wrong by every training" if len(models) > 1 else ""
    mean = ", on average over trainings" if len(models) > 1 else ""
    return (
        f"Of {len(models[0]):,} test images {missed:,.0f} with pneumonia are missed and {false:,.0f} normal ones are "
        f"called pneumonia at the threshold{mean}{several}."
    )


def output_and_threshold(known: Facts) -> str | None:
    """The probability, and where it becomes a class."""
    at = spread([run.metrics["threshold"] for run in known.runs])
    where = "on validation images" if known.validation else "beforehand"
    return (
        f"A probability of pneumonia; from {at} on it is called pneumonia, chosen {where} by the rule "
        f"{known.tags['operating_point']}."
    )


def _listed(estimates: Mapping[str, Estimate] | None, names: Sequence[str]) -> str | None:
    if not estimates:
        return None
    return f"Test images: {'; '.join(f'{label(n)} {figure(estimates[n])}' for n in names if n in estimates)}."


def _sites(known: Facts) -> str:
    return "; ".join(
        f"{site.judged.site}: {', '.join(f'{label(n)} {figure(site.figures[n])}' for n in ACCURACY[:2])}, AUROC "
        f"{figure(site.figures['auroc'])}"
        for site in known.sites
    )


def _groups(known: Facts, columns: Sequence[str]) -> str | None:
    said = [
        f"{group.column} {group.name}: AUROC {figure(group.figures['auroc'])}"
        for group in known.groups
        if not columns or group.column in columns
    ]
    return f"In groups: {'; '.join(said)}." if said else None


ANSWERS: tuple[Callable[[Facts], str | None], ...] = (
    *(internal, external, clusters, differences, robustness, performance, accuracy, performance_and_groups),
    *(fairness, errors, output_and_threshold),
)
