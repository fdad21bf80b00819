"""Name -> study: the files of `studies/`, built-in or one's own."""

from __future__ import annotations

from pathlib import Path

from pneumobench.authoring.discovery import Entry, Shelf
from pneumobench.authoring.registry import PLUGINS
from pneumobench.authoring.study import Study
from pneumobench.utils import files

STUDIES = Shelf("studies", "study", Study)

TEMPLATE = '''\
"""{title}: … (the question, in one line).

    pneumobench study {name} --trials 30
"""

from __future__ import annotations

from pneumobench import Study

# The plugin is the first choice of each trial, then come the knobs of its own `space`.
# Further fields: space, metric, sampler, pruner, fixed (see `help(pneumobench.Study)`).
study = Study(
    plugins=("thumbnail", "baseline"),
    epochs=3,  # the budget of a trial; None leaves each plugin's own
    metric="val_auroc",  # or val_log_loss, val_auroc_corrupted
)
'''


def entries() -> dict[str, Entry]:
    """All studies by name, sorted; nothing of them is imported."""
    return STUDIES.entries()


def load(name: str) -> Study:
    """The study of one name. Raises: UsageError (unknown), PluginError (import fails, or no study in it)."""
    PLUGINS.open_folder()  # a study may make variants of one's own plugins
    return STUDIES.load(name)


def write(name: str, folder: Path | None = None) -> Path:
    """Write a study's file, which can be run as it is.

    Raises: UsageError for a name that cannot be a module or is taken; nothing is overwritten.
    """
    path = STUDIES.free(name, folder)
    return files.write(path, TEMPLATE.format(name=name, title=name.replace("_", " ").capitalize()))
