"""The card's parts on the model: what it is, how it was trained, and in which environment."""

from __future__ import annotations

from collections.abc import Mapping

from pneumobench.comparison.facts import ENERGY, Facts
from pneumobench.comparison.page import NOT_TRACKED, Block, Code, Lines, Section, Table, facts
from pneumobench.evaluation.words import UNDEFINED, seconds
from pneumobench.tracking.tracked_run import PROVENANCE

PACKAGES = ("keras", "tensorflow", "jax", "numpy", "scikit-learn", "pillow", "albumentations", "pydicom")


def model(known: Facts) -> Section:
    """What the model is, in its author's words, and with which values of its knobs."""
    tags, one = known.tags, known.experiment
    blocks: list[Block] = []
    if known.source:
        blocks.append(Lines([" ".join(part.split()) for part in known.source.split("\n\n")]))
    made = f"elsewhere; its predictions were imported from {tags['imported']}" if one.is_imported else "pneumobench"
    blocks.append(
        facts(
            [
                ("plugin", f"{one.plugin}, source {tags['plugin_digest']}" if "plugin_digest" in tags else one.plugin),
                ("trained by", made),
                ("parameters", f"{int(tags['parameters']):,}" if "parameters" in tags else None),
                ("pretrained weights", weights(known)),
                ("its runs", ", ".join(run.run_id for run in one.runs)),
            ]
        )
    )
    knobs = one.runs[0].params
    if knobs:
        blocks.append(Table(("knob (hyperparameter)", "value"), sorted(knobs.items())))
    return Section("Model", blocks)


def training(known: Facts) -> Section:
    """How it was trained, how long that took, and what search came before."""
    tags, runs = known.tags, known.runs
    settings = known.settings or {}
    at_once = "none: fitted at once" if tags.get("backend") == "scikit-learn" else None
    precision = sorted({run.tags["precision"] for run in runs if "precision" in run.tags})
    rows = [
        ("training seeds", ", ".join(dict.fromkeys(str(run.seed) for run in runs))),
        ("epochs", epochs(runs[0].params) or at_once),
        ("precision", ", ".join(precision)),
        ("computed by", f"{tags['backend']} on {tags['device']}" if "backend" in tags else None),
        ("seconds a training", None if known.experiment.seconds != known.experiment.seconds else _seconds(known)),
        ("energy, all trainings", energy(known.energy) or f"{NOT_TRACKED}: no device's counter was read"),
        ("input", tags.get("view")),
        ("augmentation", tags.get("augmentation")),
        ("class imbalance", tags.get("balancing")),
        ("probabilities corrected by", tags.get("calibrate", "nothing")),
        ("search for its knobs", search(tags)),
    ]
    if known.whole and any(name.startswith("energy_") for name in known.whole):
        whole = {kind: known.whole[f"energy_{kind}_wh"] for kind in ENERGY if f"energy_{kind}_wh" in known.whole}
        rows.append(("energy, the whole run", energy(whole)))
    commands = list(dict.fromkeys(run.tags["command"] for run in runs if "command" in run.tags))
    blocks: list[Block] = [facts(rows)]
    if settings.get("train"):
        given = {name: value for name, value in settings["train"].items() if value is not None and "seed" not in name}
        blocks.append(Lines([f"Options of the training: {', '.join(f'{n} {v}' for n, v in given.items())}."]))
    return Section("Training", [*blocks, Code(commands)] if commands else blocks)


def environment(known: Facts) -> Section:
    """Versions, commit and machine; all packages are among the run's files."""
    there, (tags, runs) = known.environment, (known.tags, known.runs)
    versions = {tuple(run.tags.get(name, "") for name in PROVENANCE) for run in runs}
    rows = [
        ("versions", "; ".join(sorted({version for version, _ in versions if version}))),
        ("commit of pneumobench", ", ".join(sorted({commit for _, commit in versions if commit}))),
        ("device", tags.get("device")),
        ("Python", None if there is None else str(there.get("python", ""))),
        ("system", None if there is None else str(there.get("platform", ""))),
        ("processor", None if there is None else f"{there.get('processor')}, {there.get('cores')} cores"),
        ("packages", None if there is None else _packages(there)),
    ]
    return Section("Environment", [facts(rows)])


def energy(watt_hours: Mapping[str, float]) -> str | None:
    """Watt-hours by device; None where no counter could be read."""
    parts = [f"{value:,.2f} Wh by the {ENERGY[kind]}" for kind, value in watt_hours.items()]
    return f"{', '.join(parts)} (whole devices, by their own counters)" if parts else None


def _seconds(known: Facts) -> str:
    each = [run.metrics.get("training_seconds", float("nan")) for run in known.runs]
    mean = f"{seconds(known.experiment.seconds)} on average"
    return mean if len(each) == 1 or mean.startswith(UNDEFINED) else f"{mean} ({', '.join(map(seconds, each))})"


def epochs(params: Mapping[str, str]) -> str | None:
    """How many epochs, in all or by phase; None for a model without any."""
    if "epochs_in_all" in params:
        return f"{params['epochs_in_all']} in all"
    named = {name: value for name, value in params.items() if name.endswith("epochs")}
    return ", ".join(f"{value} ({name})" if name != "epochs" else value for name, value in named.items()) or None


def weights(known: Facts) -> str | None:
    """Which pretrained weights, by backbone, name and digest; None where that is not known."""
    params, tags = known.runs[0].params, known.tags
    if known.experiment.is_imported:
        return None
    if "weights" not in params and "files" not in tags:
        return "none: no knob names any"
    named = f"{params.get('backbone', '')} {params.get('weights', '')}".strip()
    return ", ".join(part for part in (named, tags.get("files", "")) if part)


def search(tags: Mapping[str, str]) -> str | None:
    """The study that its knobs are from, and how much it searched; None where that is not known."""
    if "from_study" in tags:
        return (
            f"study {tags['from_study']}, trial {tags.get('from_trial')}: {tags.get('trials_spent')} of "
            f"{tags.get('trials_of_study')} trials were of this plugin; test images closed"
        )
    return None if "imported" in tags else "none is named; knobs are those given, or the plugin's defaults"


def _packages(there: Mapping[str, object]) -> str:
    packages = there.get("packages")
    known = packages if isinstance(packages, dict) else {}
    shown = [f"{name} {known[name]}" for name in PACKAGES if name in known]
    return f"{len(known)} in all, among them {', '.join(shown)}"
