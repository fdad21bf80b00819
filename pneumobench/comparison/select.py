"""Which tracked trainings may be compared with each other, and why each of the others may not."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pneumobench.authoring.differences import REFERENCE
from pneumobench.data.options import check_policy
from pneumobench.errors import UsageError
from pneumobench.tracking.runs import Experiment, TrackedRun, chosen, experiments

PHANTOM = "phantom"


Division = tuple[str, tuple[tuple[int, str], ...]]  # policy, and for each split seed the digest of what it gave


@dataclass(frozen=True)
class Selection:
    """The experiments to compare, the reference among them; how their images were divided; why each other is not."""

    experiments: tuple[Experiment, ...]
    division: str
    left_out: tuple[str, ...]


def pick(runs: Sequence[TrackedRun], wanted: Sequence[str], against: str, policy: str | None = None) -> Selection:
    """Of each plugin, or of what is wanted, the experiment with most trainings on the images of the reference.

    All are on one division into training and validation: of the split `policy`, or the one that most plugins have
    (of equally common ones the patient split, then the one of the smaller split seeds).
    Raises: UsageError where nothing is left to compare, saying what to run.
    """
    every = experiments(runs)
    references = [one for one in every if names(one, against) and one.opened_test and "permuted" not in one.tags]
    if policy is not None:
        check_policy(policy)
        references = [one for one in references if one.tags["split"] == policy]
    if not references:
        raise UsageError(
            f"no finished run of '{against}' {f'with --split {policy} ' if policy else ''}opened the test images; "
            f"`pneumobench run {against}{f' --split {policy}' if policy else ''}` makes one"
        )
    asked = [*wanted, against] if wanted else sorted({one.plugin for one in every} | {against})
    candidates = {name: _named(name, runs, every) for name in asked}
    usual = [one for one in references if one.tags["dataset"] != PHANTOM and "limit" not in one.tags] or references
    fingerprint, limit = usual[0].tags["fingerprint"], usual[0].tags.get("limit")
    division = _most_common(candidates, fingerprint, limit, policy)
    picked: list[Experiment] = []
    left_out: list[str] = []
    for name, named in candidates.items():
        fitting = []
        for one in named:
            why = _why_not(one, fingerprint, limit, division)
            if why is None:
                fitting.append(one)
            else:
                left_out.append(f"{one.name}, {_seeds(one)}: {why}")
        best = max(fitting, key=lambda one: (len(one.runs), max(run.started for run in one.runs)), default=None)
        if best is not None and best.runs not in [one.runs for one in picked]:
            picked.append(best)
            left_out += [
                f"{one.name}, {_seeds(one)}: {_told_apart(best, one)} is compared as {name}"
                for one in fitting
                if one is not best
            ]
        elif best is None and wanted:
            raise UsageError(
                f"no run of '{name}' can be compared with {against}: {'; '.join(left_out) or 'there is none'}"
            )
    if not any(names(one, against) for one in picked):
        raise UsageError(f"no run of '{against}' is on the images of the others; `pneumobench run {against}` makes one")
    if len(picked) < 2:
        raise UsageError(
            f"{against} alone was scored on these images; run another plugin, such as `pneumobench run residual`"
        )
    return Selection(tuple(picked), _in_words(division), tuple(dict.fromkeys(left_out)))


def frozen(runs: Sequence[TrackedRun], wanted: Sequence[str], against: str = REFERENCE) -> list[Experiment]:
    """The experiments whose models are judged on other images: what is wanted, else what a comparison would pick.

    Where nothing can be compared, of each plugin the experiment with most trainings.
    Raises: UsageError for a name without a finished run, or one that must not be compared.
    """
    every = experiments(runs)
    if not wanted:
        try:
            return list(pick(runs, (), against).experiments)
        except UsageError:  # one plugin alone, or no reference
            wanted = sorted({one.plugin for one in every if not is_barred(one)})
    found: list[Experiment] = []
    for name in wanted:
        named = _named(name, runs, every)
        usable = [one for one in named if not is_barred(one)]
        if not usable:
            raise UsageError(f"no run of '{name}' may be judged: {named[0].name} {is_barred(named[0])}")
        found.append(max(usable, key=lambda one: (len(one.runs), max(run.started for run in one.runs))))
    return list(dict.fromkeys(found))


def is_barred(one: Experiment) -> str:
    """Why an experiment is never compared; "" if it may be."""
    if "permuted" in one.tags:
        return "is trained on permuted labels"
    return f"is marked by --allow-leak ({one.tags['leak'].partition(',')[0]})" if "leak" in one.tags else ""


def _named(name: str, runs: Sequence[TrackedRun], every: Sequence[Experiment]) -> list[Experiment]:
    """The experiments of a plugin, or the one that a run id names."""
    of_plugin = [one for one in every if one.plugin == name]
    return of_plugin or experiments(chosen(runs, [name]))


def names(one: Experiment, name: str) -> bool:
    """Whether a plugin's name or a run id means this experiment."""
    return one.plugin == name or any(name in (run.run_id, run.parent) for run in one.runs)


def divided(one: Experiment) -> Division:
    """How an experiment's images were divided into training and validation."""
    return one.tags["split"], tuple(sorted({(run.split_seed, run.tags["split_digest"]) for run in one.runs}))


def _most_common(
    candidates: dict[str, list[Experiment]], fingerprint: str, limit: str | None, policy: str | None
) -> Division:
    """The division that most plugins were trained on; the same whatever the order of the runs."""
    counted = Counter(
        division
        for named in candidates.values()
        for division in {
            divided(one)
            for one in named
            if one.opened_test
            and not one.is_divided_elsewhere
            and "permuted" not in one.tags
            and (one.tags["fingerprint"], one.tags.get("limit")) == (fingerprint, limit)
            and one.tags["split"] == (policy or one.tags["split"])
        }
    )
    return min(counted, key=lambda one: (-counted[one], one[0] != "patient", one), default=("", ()))


def _in_words(division: Division) -> str:
    policy, seeds = division
    which = ", ".join(str(seed) for seed, _ in seeds)
    return f"Divided by {policy}, split seed{'s' if len(seeds) > 1 else ''} {which} (--split chooses)"


def _told_apart(one: Experiment, other: Experiment) -> str:
    """An experiment by name and seeds, and by its run where these are the other's too."""
    name = f"{one.name}, {_seeds(one)}"
    return name if name != f"{other.name}, {_seeds(other)}" else f"run {one.runs[0].run_id[:8]}"


def _why_not(one: Experiment, fingerprint: str, limit: str | None, division: Division) -> str | None:
    if one.tags.get("limit") != limit:
        return f"--limit {one.tags['limit']}" if "limit" in one.tags else "on all images, the reference is not"
    if barred := is_barred(one):
        return barred.removeprefix("is ")
    if one.tags["fingerprint"] != fingerprint:
        return f"on other images ({one.tags['dataset']} {one.tags['fingerprint'][:8]})"
    if not one.opened_test:
        return "its test images stayed closed"
    if divided(one) != division and not one.is_divided_elsewhere:
        return "trained on another division of the images"
    return None


def sharing(named: Mapping[str, Experiment]) -> list[frozenset[str]]:
    """The pairs whose trainings belong together: an ensemble and its member, or two with a trained model in common."""
    pairs = combinations(named.items(), 2)
    return [frozenset((a, b)) for (a, one), (b, other) in pairs if _share(one, other)]


def _share(one: Experiment, other: Experiment) -> bool:
    members = [{name for run in side.runs for name in _members(run)} for side in (one, other)]
    models = [{m for run in side.runs for m in (run.run_id, *_members(run).values()) if m} for side in (one, other)]
    return other.plugin in members[0] or one.plugin in members[1] or bool(models[0] & models[1])


def _members(run: TrackedRun) -> dict[str, str]:
    """An ensemble's members, each with the run of its model, "" where it was trained within; none for others."""
    names = ast.literal_eval(run.params.get("members", "()"))
    return dict.fromkeys(names, "") | json.loads(run.tags.get("members", "{}"))


def label(one: Experiment, picked: Sequence[Experiment]) -> str:
    """The plugin's name, or with what was set where two are of one plugin."""
    same = [other for other in picked if other.plugin == one.plugin]
    if len(same) == 1:
        return one.plugin
    alike = [other for other in same if other.name == one.name]
    return one.name if len(alike) == 1 else f"{one.name} {one.runs[0].run_id[:8]}"


def _seeds(one: Experiment) -> str:
    return f"{len(one.runs)} seed{'s' if len(one.runs) > 1 else ''}"
