"""What is tracked of the model: the answers on its making, its software and its limits."""

from __future__ import annotations

from collections.abc import Callable

from pneumobench.comparison.card.limits import code
from pneumobench.comparison.card.limits import limits as section
from pneumobench.comparison.card.results import HOME
from pneumobench.comparison.card.training import epochs, search, weights
from pneumobench.comparison.checklist.images import data_availability
from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import Lines
from pneumobench.evaluation.labels import label
from pneumobench.evaluation.words import plural


def technique(known: Facts) -> str | None:
    """The plugin's first line, as its author wrote it."""
    first = (known.source or "").split("\n\n")[0].split()
    return f"The plugin says of itself: {' '.join(first)}" if first else None


def model(known: Facts) -> str | None:
    """What is kept of the model."""
    tags = known.tags
    if known.experiment.is_imported:
        return None
    count = f"{int(tags['parameters']):,} parameters, " if "parameters" in tags else ""
    knobs = ", ".join(f"{name} {value}" for name, value in sorted(known.runs[0].params.items()))
    entry = f"input {tags['view']}, " if "view" in tags else ""
    return (
        f"Plugin {known.experiment.plugin}, source {tags['plugin_digest']} (kept with its runs): {entry}{count}output "
        f"the probability of pneumonia. Knobs: {knobs}."
    )


def software(known: Facts) -> str | None:
    """Versions."""
    versions = sorted({run.tags["versions"] for run in known.runs if "versions" in run.tags})
    return f"{'; '.join(versions)}." if versions and not known.experiment.is_imported else None


def initialisation(known: Facts) -> str | None:
    """Seeds, and pretrained weights."""
    named = weights(known)
    if named is None:
        return None
    licence = f" ({known.tags['weights_licence']})" if "weights_licence" in known.tags else ""
    return f"Random by training seed {_seeds(known)}. Pretrained weights: {named}{licence}."


def training(known: Facts) -> str | None:
    """Knobs, seeds, epochs, augmentation, and how many models."""
    tags, runs = known.tags, known.runs
    if known.experiment.is_imported:
        return None
    parts = [f"{plural(len(runs), 'training')} with seed {_seeds(known)}"]
    if own := epochs(runs[0].params):
        parts.append(f"epochs {own}")
    parts += [f"{name} {tags[name]}" for name in ("precision", "augmentation", "balancing") if name in tags]
    knobs = ", ".join(f"{name} {value}" for name, value in sorted(runs[0].params.items()))
    return f"{'; '.join(parts)}. Knobs: {knobs}. Computed by {tags.get('backend')} on {tags.get('device')}."


def selection(known: Facts) -> str | None:
    """That none was selected by test images, and what search came before."""
    found = search(known.tags)
    if found is None:
        return None
    return (
        f"Every training is kept and counted; none is selected. Search for knobs: {found}. Threshold: by the rule "
        f"{known.tags['operating_point']}, on validation images."
    )


def ensemble(known: Facts) -> str | None:
    """What is averaged."""
    if known.experiment.is_imported:
        return None
    if "members" in known.runs[0].params:
        return f"The mean of its members' probabilities: {known.runs[0].params['members']}."
    if "folds" in known.tags:
        return f"The mean of the {known.tags['folds']} folds' models is scored on the test images."
    return "None: figures of several trainings are means of their figures, not of their probabilities."


def balancing(known: Facts) -> str | None:
    """How class imbalance was met."""
    how = known.tags.get("balancing")
    if how is None:
        return None
    return "Nothing was done about it." if how == "none" else f"{how}. {updating(known)}"


def updating(known: Facts) -> str | None:
    """Whether probabilities were corrected."""
    how = known.tags.get("calibrate")
    mended = f"Probabilities were corrected by {how} on validation images." if how else "Probabilities are uncorrected."
    return f"{mended} Nothing was tuned on test images or at other sites."


def model_and_training(known: Facts) -> str | None:
    """Both, with how the final model came about."""
    parts = [model(known), training(known), selection(known)]
    return " ".join(filter(None, parts)) or None


def metrics(known: Facts) -> str | None:
    """Which figures there are."""
    own = known.test or known.validation
    return f"{', '.join(label(name, full=True) for name in HOME if name in own)}; calibration in the large and slope."


def uncertainty(known: Facts) -> str | None:
    """What the intervals are."""
    over = "patients and trainings" if len(known.runs) > 1 else "patients"
    return (
        f"95 % intervals over {over}, a patient's images together: Wilson's with the effective number of images for "
        "proportions, on the logit scale for AUROC, by bootstrap for others."
    )


def output(known: Facts) -> str | None:
    """How a prediction is made."""
    if known.experiment.is_imported:
        return f"Predictions were made elsewhere, and imported from {known.tags['imported']}."
    return "A probability of pneumonia, by the model that is stored with each run (`pneumobench predict`)."


def limits(known: Facts) -> str | None:
    """What the tracked facts leave open."""
    (block,) = section(known).blocks
    return " ".join(block.items) if isinstance(block, Lines) else None


def details(known: Facts) -> str | None:
    """Where the technical details are."""
    commands = list(dict.fromkeys(run.tags["command"] for run in known.runs if "command" in run.tags))
    commits = sorted({run.tags["git_commit"] for run in known.runs if "git_commit" in run.tags})
    return f"Commands: {'; '.join(commands)}. Commit {', '.join(commits)} of pneumobench." if commits else None


def code_availability(known: Facts) -> str | None:
    """The code's licence and commit."""
    licence = code()
    commits = sorted({run.tags["git_commit"] for run in known.runs if "git_commit" in run.tags})
    return f"pneumobench is under {licence}; commit {', '.join(commits)}." if licence and commits else None


def availability(known: Facts) -> str | None:
    """Both."""
    return " ".join(filter(None, (code_availability(known), data_availability(known)))) or None


def whole_model(known: Facts) -> str | None:
    """Where the model is."""
    if known.experiment.is_imported:
        return None
    return f"Stored with run {', '.join(run.run_id for run in known.runs)}, with threshold and preprocessing."


def _seeds(known: Facts) -> str:
    return ", ".join(dict.fromkeys(str(run.seed) for run in known.runs))


ANSWERS: tuple[Callable[[Facts], str | None], ...] = (
    *(technique, model, software, initialisation, training, selection, ensemble, balancing),
    *(updating, model_and_training, metrics, uncertainty, output, limits, details, code_availability),
    *(availability, whole_model),
)
