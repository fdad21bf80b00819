"""Options that several commands take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def _use_folder(folder: Path | None) -> Path | None:
    if folder is not None:  # in the environment, so that processes started from here find the same plugins
        os.environ["PNEUMOBENCH_PLUGINS"] = str(folder.absolute())
    return folder


def names(incomplete: str) -> list[str]:
    """The plugins that a word could become."""
    from pneumobench import registry

    return [name for name in registry.entries() if name.startswith(incomplete)]


PluginName = Annotated[str, typer.Argument(help="A name from `pneumobench plugins`.", autocompletion=names)]
PluginsDir = Annotated[
    Path | None,
    typer.Option(
        callback=_use_folder,
        is_eager=True,
        help="Folder of your own plugins. Default: PNEUMOBENCH_PLUGINS, else plugins/ here.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
TrackingUri = Annotated[
    str | None,
    typer.Option(help="MLflow store. Default: MLFLOW_TRACKING_URI, else runs/mlflow.db here.", show_default=False),
]
