"""What is logged of a trained model: its files, how long its training took, and its plugin's source."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pneumobench.authoring import digest
from pneumobench.authoring.knobs import hooks
from pneumobench.evaluation.estimates import Estimate
from pneumobench.experiment.context import Context
from pneumobench.experiment.fit import Fitted
from pneumobench.tracking.recorder import Recorder
from pneumobench.utils import provenance
from pneumobench.utils.jsonable import to_json

SOURCES = "sources.json"  # module -> its file beside it
SETTINGS, ENVIRONMENT = "settings.json", "environment.json"


def log_model(run: Recorder, fitted: Fitted) -> str:
    """Log the model of a seed or a trial with its threshold; returns the id of MLflow's LoggedModel."""
    predictor = fitted.predictor
    with tempfile.TemporaryDirectory() as folder:
        predictor.save(Path(folder), threshold=fitted.validation.operating.threshold)
        return run.model(Path(folder), **how_logged(fitted))


def how_logged(fitted: Fitted) -> dict[str, Any]:
    """What MLflow is told of a model besides its files."""
    return {
        "shape": fitted.predictor.view.shape,
        "requirements": [f"{name}=={number}" for name, number in provenance.versions().items()],
        "kind": fitted.predictor.kind,
    }


def measured(fitted: Fitted) -> dict[str, float]:
    """The threshold, and how long the training took."""
    operating, predictor = fitted.validation.operating, fitted.predictor
    return {
        "threshold": operating.threshold,
        "threshold_ties": operating.ties,
        "training_images_per_second": predictor.images_per_second,
        "training_seconds": predictor.seconds,
    }


def describe(run: Recorder, context: Context) -> None:
    """Log what a training is started with: knobs, dataset, options and environment."""
    run.params(context.parameters)
    run.dataset(context.input, "training")
    with tempfile.TemporaryDirectory() as folder:
        write_settings(Path(folder) / "settings", context)
        run.artifacts(Path(folder))


def entries(part: str, estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """`test_auroc`, `test_auroc_low`, `test_auroc_high`, and `test_auroc_sd` where there are several seeds."""
    named: dict[str, float] = {}
    for metric, estimate in estimates.items():
        name = f"{part}_{metric}"
        named |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        if estimate.sd is not None:
            named[f"{name}_sd"] = estimate.sd
    return named


def write_source(folder: Path, context: Context) -> None:
    """The plugin's file and those of the plugins that it imports, and the qualified name of each hook's function."""
    folder.mkdir(parents=True)
    files = digest.sources(context.entry, context.plugin)
    names = {module: path.name if module == context.entry.module else f"{module}.py" for module, path in files.items()}
    for module, path in files.items():
        shutil.copy(path, folder / names[module])
    hooked = {field: f"{hook.__module__}.{hook.__qualname__}" for field, hook in hooks(context.plugin).items()}
    (folder / "hooks.json").write_text(json.dumps(hooked, indent=2))
    (folder / SOURCES).write_text(json.dumps(names, indent=2))


def write_settings(folder: Path, context: Context) -> None:
    """What `rerun` needs to train the same again, and the environment that this training runs in."""
    options = replace(context.images.options, data=tuple(map(_absolute, context.images.sources)))
    settings = {"plugin": context.name, "knobs": context.knobs, "data": asdict(options), "train": asdict(context.train)}
    folder.mkdir(parents=True)
    (folder / SETTINGS).write_text(json.dumps(to_json(settings), indent=2))
    (folder / ENVIRONMENT).write_text(json.dumps(provenance.environment(), indent=2))


def _absolute(source: str) -> str:
    return str(Path(source).absolute()) if Path(source).exists() else source
