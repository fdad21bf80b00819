"""What is tracked of the images: the answers on data, patients and partitions."""

from __future__ import annotations

from collections.abc import Callable

from pneumobench.comparison.facts import Facts
from pneumobench.comparison.page import NOT_TRACKED
from pneumobench.evaluation.words import plural


def sources(known: Facts) -> str | None:
    """Name, fingerprint and citation of the images."""
    tags = known.tags
    cited = f" Source: {tags['data_citation']}." if "data_citation" in tags else ""
    away = [f"{site.judged.site}: {site.judged.dataset} {site.judged.fingerprint[:8]}" for site in known.sites]
    elsewhere = f" Other sites: {'; '.join(away)}." if away else ""
    return f"{tags['dataset']}, fingerprint {tags['fingerprint']}.{cited}{elsewhere}"


def centres(known: Facts) -> str | None:
    """How many sites the images name."""
    column = known.characteristics.get("site")
    return f"The test images name {plural(len(column), 'site')}: {', '.join(column)}." if column else None


def eligibility(known: Facts) -> str | None:
    """What was left out by the program itself."""
    part = f" Only a part was used: --limit {known.tags['limit']}." if "limit" in known.tags else ""
    found = f" Found before training: {known.tags['audit']}." if "audit" in known.tags else ""
    return f"{_lost(known)}.{part}{found}"


def preprocessing(known: Facts) -> str | None:
    """The input's size, and augmentation."""
    view, augmentation = (known.tags.get(name) for name in ("view", "augmentation"))
    if view is None:
        return None
    return f"Read as grey, input {view}; augmentation in training: {augmentation}."


def subset(known: Facts) -> str | None:
    """Whether all images were used."""
    return f"--limit {known.tags['limit']}." if "limit" in known.tags else "None: all readable images were used."


def missing(known: Facts) -> str | None:
    """Images, patients and columns that are not there."""
    count, keys = known.without_patient, ""
    if count is not None:
        keys = f" {plural(count, 'image')} without a patient's key, each taken as its own patient." if count else ""
        keys = keys or " Every image has a patient's key."
    empty = [f"{name} ({own['unknown']:,})" for name, own in known.characteristics.items() if "unknown" in own]
    unknown = f" Test images without a value: {', '.join(empty)}." if empty else ""
    return f"{_lost(known)}; nothing is imputed.{keys}{unknown}"


def acquisition(known: Facts) -> str | None:
    """Which views there are."""
    views = known.characteristics.get("view")
    return f"Views of the test images: {_counted(views)}." if views else None


def outcome(known: Facts) -> str | None:
    """Which two classes are told apart."""
    return f"Pneumonia against normal, by the labels of {known.tags['dataset']}."


def predictors(known: Facts) -> str | None:
    """What enters the model."""
    view = known.tags.get("view")
    return None if view is None else f"The pixels of one X-ray, {view}; nothing else enters the model."


def subjective(known: Facts) -> str | None:
    """Whether someone's judgement enters the model."""
    return None if "view" not in known.tags else "None is: pixels alone enter the model."


def division(known: Facts) -> str | None:
    """The policy, its seeds, and the shares."""
    if known.experiment.is_divided_elsewhere:
        return None
    tags, seeds = known.tags, sorted({run.split_seed for run in known.runs})
    folds = f", in {tags['folds']} folds" if "folds" in tags else ""
    how = f"Policy {tags['split']}, split seed {', '.join(map(str, seeds))}{folds}, digest {tags['split_digest']}. "
    return f"{how}{numbers(known)} Test images were closed until the models were trained."


def disjoint(known: Facts) -> str | None:
    """Whether patients are on one side."""
    if known.experiment.is_divided_elsewhere:
        return None
    if "leak" in known.tags:
        return f"They are NOT: {known.tags['leak']} (allowed by --allow-leak)."
    count, shared = known.without_patient, known.shared_patients
    if shared:
        return f"They are NOT: {plural(shared, 'patient')} in both validation and test."
    level = "Patients, by key and by identical files; a run that finds one on both sides stops."
    return level + (f" {plural(count, 'image')} had no key, and count as patients of their own." if count else "")


def size(known: Facts) -> str | None:
    """How many there were."""
    return numbers(known)


def numbers(known: Facts) -> str:
    """Images and patients by part."""
    parts = [
        f"{part} {own['normal']:,} normal, {own['pneumonia']:,} pneumonia, {own['patients']:,} patients"
        for part, own in known.counts.items()
    ]
    parts = [f"training {NOT_TRACKED}", *parts] if "training" not in known.counts else parts
    away = [
        f"{site.judged.site} {site.counts['normal']:,} normal, {site.counts['pneumonia']:,} pneumonia, "
        f"{site.patients:,} patients"
        for site in known.sites
    ]
    return f"Images: {'; '.join(parts + away)}."


def characteristics(known: Facts) -> str | None:
    """What is known of the test images besides their class."""
    own = {name: counts for name, counts in known.characteristics.items() if name != "subtype"}
    if not own:
        return None
    return f"Test images by {'; '.join(f'{name}: {_counted(counts)}' for name, counts in own.items())}."


def data_availability(known: Facts) -> str | None:
    """The data's licence."""
    if "data_licence" not in known.tags:
        return None
    return f"Licence of the release that the layout {known.tags.get('layout')} is for: {known.tags['data_licence']}."


def _lost(known: Facts) -> str:
    lost = int(known.tags.get("unreadable", "0"))
    return f"{plural(lost, 'image')} left out as unreadable" if lost else "No image was left out as unreadable"


def _counted(counts: object) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in dict(counts).items())  # type: ignore[call-overload]


ANSWERS: tuple[Callable[[Facts], str | None], ...] = (
    *(sources, centres, eligibility, preprocessing, subset, missing, acquisition, outcome),
    *(predictors, subjective, division, disjoint, size, numbers, characteristics, data_availability),
)
