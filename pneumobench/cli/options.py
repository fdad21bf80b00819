"""Options that several commands take."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def _kept_in(variable: str) -> Callable[[Path | None], Path | None]:
    """A callback that puts a folder into the environment, so that processes started from here find the same files."""

    def use(folder: Path | None) -> Path | None:
        if folder is not None:
            os.environ[variable] = str(folder.absolute())
        return folder

    return use


def names(incomplete: str) -> list[str]:
    """The plugins that a word could become."""
    from pneumobench.authoring import registry

    return [name for name in registry.entries() if name.startswith(incomplete)]


PluginName = Annotated[str, typer.Argument(help="A name from `pneumobench plugins`.", autocompletion=names)]
PluginsDir = Annotated[
    Path | None,
    typer.Option(
        callback=_kept_in("PNEUMOBENCH_PLUGINS"),
        is_eager=True,
        help="Folder of your own plugins. Default: PNEUMOBENCH_PLUGINS, else plugins/ here.",
        show_default=False,
    ),
]


StudiesDir = Annotated[
    Path | None,
    typer.Option(
        callback=_kept_in("PNEUMOBENCH_STUDIES"),
        is_eager=True,
        help="Folder of your own studies. Default: PNEUMOBENCH_STUDIES, else studies/ here.",
        show_default=False,
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        help="sqlite:///FILE.db or postgresql+psycopg://… Default: PNEUMOBENCH_STORAGE, else runs/studies.db here.",
        show_default=False,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder with train and test (and val), each with NORMAL and PNEUMONIA; or `phantom`. "
        "Default: PNEUMOBENCH_DATA, data/chest_xray, the phantom.",
        show_default=False,
    ),
]
Split = Annotated[
    str, typer.Option(help="patient: 15 % of the patients are validation. official: the release's val folder.")
]
SplitSeed = Annotated[int, typer.Option(help="Seed of the split, apart from that of training.")]
Precision = Annotated[
    str, typer.Option(help="auto, float32 or bfloat16; auto is bfloat16 where the device is fast at it.")
]
Limit = Annotated[int | None, typer.Option(help="Try it on about so many images (whole patients).", show_default=False)]
SkipUnreadable = Annotated[bool, typer.Option("--skip-unreadable", help="Go on without images that cannot be read.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
TrackingUri = Annotated[
    str | None,
    typer.Option(help="MLflow store. Default: MLFLOW_TRACKING_URI, else runs/mlflow.db here.", show_default=False),
]
