"""A study's best knobs for a plugin, for `pneumobench run PLUGIN --from-study NAME`."""

from __future__ import annotations

import json

from optuna.trial import FixedTrial

from pneumobench.authoring import registry
from pneumobench.errors import UsageError
from pneumobench.experiment.study_origin import Origin
from pneumobench.search.job import Job
from pneumobench.search.space import PLUGIN
from pneumobench.search.storage import Storage, exists
from pneumobench.search.trials import FINISHED, Trials


def best(study: str, plugin: str, storage: str | None = None) -> Origin:
    """The best complete trial of a plugin in a study.

    Raises: UsageError where there is none, or where the plugin is defined in the study's file alone.
    """
    if not exists(storage):
        raise UsageError("no study is stored here; `pneumobench study --trials 50` starts one")
    trials = Trials(Storage(storage), study)
    attributes = trials.study.user_attrs
    winner = next((trial for trial in trials.best() if trial.params[PLUGIN] == plugin), None)
    if winner is None:
        others = ", ".join(dict.fromkeys(str(trial.params[PLUGIN]) for trial in trials.best())) or "none"
        raise UsageError(f"study '{study}' has no complete trial of '{plugin}', only of: {others}")
    registry.find(plugin)
    job = json.loads(attributes["job"])
    plan = Job.from_plain(job, storage="", tracking_uri="").plan()
    _, knobs = plan.space.draw(FixedTrial(winner.params))
    finished = trials.all(*FINISHED)
    return Origin(
        study=study,
        trial=winner.number,
        knobs=knobs,
        epochs=plan.epochs_of(plugin),
        seed=plan.seeds[-1],
        trials=sum(trial.params.get(PLUGIN) == plugin for trial in finished),
        of=len(finished),
        fingerprint=json.loads(attributes["bound"])["dataset fingerprint"],
        limit=job["data"]["limit"],
    )
