"""Templates of a new plugin or study: small, commented, and runnable as written."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from pneumobench.authoring import registry
from pneumobench.authoring.discovery import importable
from pneumobench.authoring.knobs import knobs_of
from pneumobench.authoring.recipe import Ensemble, Estimator
from pneumobench.errors import UsageError
from pneumobench.utils import files

VARIANT = '''\
"""{title}: `{base}`, but … (say in one line what differs).

Purpose: … (which weakness this is meant to address)
Differs from {base} in: … (the fields that `replace` sets below)
Expected: … (and where the figure comes from)

    pneumobench run {name}
"""

from __future__ import annotations

from dataclasses import replace

{imported}from {module} import {attribute} as base

# Set only what differs: {fields}.
# A function's keyword-only arguments are knobs: `--set name=value` sets them, a study searches them.
plugin = replace(base, {change})
'''

NETWORK = '''\
"""{title}: … (say in one line what it is).

Purpose: … (which weakness this is meant to address)
Expected: … (and where the figure comes from)

    pneumobench run {name}
"""

from __future__ import annotations

from typing import Any

from pneumobench import Recipe, View


def build(shape: tuple[int, int, int], *, filters: int = 16, dropout: float = 0.3) -> Any:
    """Images (height, width, channels), 0 to 255, in; one sigmoid out. Keyword-only arguments are knobs."""
    import keras
    from keras import layers

    images = keras.Input(shape)
    x = layers.Rescaling(1 / 255)(images)  # preprocessing is part of the model: a saved model takes raw images
    for factor in (1, 2, 4):
        x = layers.Conv2D(factor * filters, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(images, layers.Dense(1, activation="sigmoid", dtype="float32")(x))


def space(trial: Any) -> dict[str, Any]:
    """The search space of `pneumobench study`: knobs of `build` and of the schedule (`epochs`, `learning_rate`)."""
    return {{
        "filters": trial.suggest_int("filters", 8, 32),
        "dropout": trial.suggest_float("dropout", 0.0, 0.6),
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
    }}


# Further fields: schedule, loss, resample, weigh, augment, batch_size, defaults (see `help(pneumobench.Recipe)`).
plugin = Recipe(build=build, space=space, view=View(96, 96, channels=1))
'''


STUDY = '''\
"""{title}: … (the question, in one line).

    pneumobench study {name} --trials 30
"""

from __future__ import annotations

from pneumobench import Study

# The plugin is the first parameter of each trial, followed by the knobs of its own `space`.
# Further fields: space, metric, sampler, pruner, fixed (see `help(pneumobench.Study)`).
study = Study(
    plugins=("thumbnail", "baseline"),
    epochs=3,  # the budget of a trial; None keeps each plugin's own
    metric="val_auroc",  # or val_log_loss, val_auroc_corrupted
)
'''


def write(name: str, *, base: str | None = None, folder: Path | None = None) -> Path:
    """Write a new plugin into `folder` (default: the user's plugin folder, else `plugins` of the working directory).

    With `base` it is a variant of that plugin, otherwise a small network.
    Raises: UsageError for a name that is not a valid module name, or is taken; nothing is overwritten.
    """
    path = registry.PLUGINS.free(name, folder)
    if base and not importable(registry.find(base).module):
        plugins = registry.folder()
        if plugins and path.parent.resolve() != plugins:
            raise UsageError(f"'{base}' is a file of {plugins}, which a plugin elsewhere cannot import; omit --dir")
    return files.write_text(path, _text(name, base))


def write_study(name: str, folder: Path | None = None) -> Path:
    """Write a new study, which runs as written, into `folder` (default: the user's study folder).

    Raises: UsageError for a name that is not a valid module name, or is taken; nothing is overwritten.
    """
    path = registry.STUDIES.free(name, folder)
    return files.write_text(path, STUDY.format(name=name, title=_title(name)))


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(name: str, base: str | None) -> str:
    title = _title(name)
    if base is None:
        return NETWORK.format(name=name, title=title)
    entry, plugin = registry.find(base), registry.load(base)
    if isinstance(plugin, Ensemble):
        imported, change = "", f"members={plugin.members!r}"
    elif plugin.weigh is None and not isinstance(plugin, Estimator):
        imported, change = "from pneumobench import balanced\n", "weigh=balanced"
    else:
        knob = next(iter(knobs_of(plugin).values()))
        imported, change = "", f'defaults={{**base.defaults, "{knob.name}": {knob.default!r}}}'
    return VARIANT.format(
        name=name,
        title=title,
        base=base,
        imported=imported,
        module=entry.module,
        attribute=entry.attribute,
        fields=", ".join(field.name for field in fields(plugin) if field.name != "check"),
        change=change,
    )
