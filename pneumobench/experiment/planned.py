"""An experiment that is about to be run: which of its trainings are in the store already, and which are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pneumobench.experiment.context import Context, Training
from pneumobench.experiment.stored import Held, Stored
from pneumobench.tracking.store import Store
from pneumobench.utils import provenance


@dataclass(frozen=True)
class Planned:
    """An experiment, what the store holds of it, and whether its models are to be scored on the test images."""

    context: Context
    store: Store
    held: Held
    opens_test: bool

    @cached_property
    def is_flat(self) -> bool:
        """Whether one run holds the only training; else it is the parent of the trainings' runs."""
        if len(self.context.trainings) > 1:
            return False
        (only,) = self.context.trainings
        known = self.held.trained.get(only)
        return self.held.parent is None if known is None else known.parent is None

    @cached_property
    def trainings(self) -> list[Training]:
        """Those that were asked for, and those that the store holds under the same parent, where some are added."""
        asked = self.context.trainings
        if self.is_flat or all(training in self.held.trained for training in asked):
            return asked
        others = [t for t, one in self.held.trained.items() if one.parent == self._parent and t not in asked]
        return sorted([*asked, *others], key=lambda training: (training.split_seed, training.seed))

    @property
    def trained(self) -> Mapping[Training, Stored]:
        """Those that have a model."""
        return {t: self.held.trained[t] for t in self.trainings if t in self.held.trained}

    @property
    def missing(self) -> list[Training]:
        """Those that are to be trained."""
        return [training for training in self.trainings if training not in self.held.trained]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to train or to score."""
        return not self.missing and (not self.opens_test or all(one.is_scored for one in self.trained.values()))

    def reused(self) -> list[str]:
        """A line for the trainings that are in the store, which are not trained again."""
        known = self.trained
        if not known:
            return []
        seeds = ", ".join(str(seed) for seed in dict.fromkeys(training.seed for training in known))
        runs = ", ".join(dict.fromkeys((one.parent or one.run_id)[:8] for one in known.values()))
        what = "scored" if all(one.is_scored for one in known.values()) else "trained"
        commits = {one.run.data.tags.get("git_commit", "")[:7] for one in known.values()} - {provenance.commit()[:7]}
        at = f" at commit {', '.join(sorted(commits))}" if commits else ""
        name = f"{self.context.name}, seed{'s' if len(known) > 1 else ''} {seeds}"
        return [f"{name}: {what} before{at}, reused (run {runs}); --again trains anew"]

    @property
    def scored_before(self) -> str | None:
        """The run of a training of this experiment that was scored on the test images; None if there is none."""
        return next((one.run_id for one in self.held.trained.values() if one.is_scored), None)

    @property
    def resumed(self) -> str | None:
        """The run that is resumed as the experiment's; None where a new one is begun."""
        if not self.is_flat:
            return self._parent
        (only,) = self.context.trainings
        if only in self.held.trained:
            return self.held.trained[only].run_id
        cut_off = self.held.cut_off.get(only)
        is_ours = cut_off is not None and "mlflow.parentRunId" not in cut_off.data.tags
        return str(cut_off.info.run_id) if cut_off is not None and is_ours else None

    @property
    def fold_runs(self) -> dict[int, str]:
        """The runs of the folds of an experiment that is resumed."""
        if not self.context.images.folds or self.resumed is None:
            return {}
        return {
            int(run.data.tags["fold"]): run.info.run_id for run in self.store.children(self.resumed, {"kind": "fold"})
        }

    @property
    def _parent(self) -> str | None:
        return None if self.held.parent is None else str(self.held.parent.info.run_id)
