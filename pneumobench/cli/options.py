"""Options shared by several commands: single ones, and groups that are parsed into one options object each."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from pneumobench.data.options import DataOptions
from pneumobench.training.options import TrainOptions
from pneumobench.utils.described import texts


def _kept_in(variable: str) -> Callable[[Path | None], Path | None]:
    """A callback that sets an environment variable to the folder, so that child processes use it too."""

    def use(folder: Path | None) -> Path | None:
        if folder is not None:
            os.environ[variable] = str(folder.absolute())
        return folder

    return use


def _folder(of: str) -> Any:
    """The option for the user's folder of "plugins" or "studies"."""
    variable = f"PNEUMOBENCH_{of.upper()}"
    return typer.Option(
        callback=_kept_in(variable),
        is_eager=True,
        help=f"Folder of your {of}. Default: {variable}, else {of}/ here.",
        show_default=False,
    )


def names(incomplete: str) -> list[str]:
    """Plugin names that complete a word."""
    from pneumobench.authoring import registry

    return [name for name in registry.entries() if name.startswith(incomplete)]


PluginName = Annotated[str, typer.Argument(help="A name from `pneumobench plugins`.", autocompletion=names)]
PluginsDir = Annotated[Path | None, _folder("plugins")]
StudiesDir = Annotated[Path | None, _folder("studies")]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        help="sqlite:///FILE.db or postgresql+psycopg://… Default: PNEUMOBENCH_STORAGE, else runs/studies.db here.",
        show_default=False,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder of images (`data layouts` lists the kinds), manifest with a row an image, or `phantom`. "
        "Default: PNEUMOBENCH_DATA, data/chest_xray, the phantom.",
        show_default=False,
    ),
]
Sources = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder of images (`data layouts` lists the kinds), manifest with a row an image, or `phantom`; repeated, "
        "several as one. Default: PNEUMOBENCH_DATA, data/chest_xray, the phantom.",
        show_default=False,
    ),
]
Root = Annotated[
    Path | None,
    typer.Option(help=texts(DataOptions)["root"], show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
TrackingUri = Annotated[
    str | None,
    typer.Option(help="MLflow store. Default: MLFLOW_TRACKING_URI, else runs/mlflow.db here.", show_default=False),
]
From = Annotated[
    Path | None,
    typer.Option("--from", help="Read exported runs from this folder, not the tracking store.", show_default=False),
]


@dataclass(frozen=True)
class Group:
    """A dataclass as options of a command: each field with its annotation; defaults are those of the dataclass."""

    kind: type
    options: dict[str, Any]


READING = Group(
    DataOptions,
    {
        "data": Sources,
        "layout": Annotated[
            str | None,
            typer.Option(show_default=False),
        ],
        "columns": Annotated[
            str | None,
            typer.Option(
                metavar="FIELD=NAME,…",
                show_default=False,
            ),
        ],
        "root": Root,
        "positive": Annotated[list[str] | None, typer.Option(show_default=False)],
        "negative": Annotated[list[str] | None, typer.Option(show_default=False)],
        "patient_pattern": Annotated[
            str | None,
            typer.Option(metavar="REGEX", show_default=False),
        ],
        "test_fraction": Annotated[
            float | None,
            typer.Option(show_default=False),
        ],
    },
)
HOW = Group(
    DataOptions, {name: READING.options[name] for name in ("layout", "columns", "root", "positive", "negative")}
)
DATA = Group(
    DataOptions,
    READING.options
    | {
        "split": Annotated[str, typer.Option()],
        "split_seed": Annotated[int, typer.Option()],
        "limit": Annotated[int | None, typer.Option(show_default=False)],
        "skip_unreadable": Annotated[
            bool,
            typer.Option(
                "--skip-unreadable",
            ),
        ],
    },
)
ALLOW_LEAK = Annotated[
    bool,
    typer.Option(
        "--allow-leak",
    ),
]
DATA_TO_TEST = Group(
    DataOptions,
    DATA.options
    | {
        "split_seeds": Annotated[int, typer.Option()],
        "allow_leak": ALLOW_LEAK,
    },
)
DATA_TO_IMPORT = Group(
    DataOptions,
    READING.options
    | {name: DATA.options[name] for name in ("split", "split_seed", "skip_unreadable")}
    | {"allow_leak": ALLOW_LEAK},
)
PRECISION = Annotated[str, typer.Option()]
CHECKPOINT_EVERY = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
    ),
]
OperatingRule = Annotated[str, typer.Option(help=texts(TrainOptions)["operating_point"])]
TRAIN = Group(
    TrainOptions,
    {
        "seeds": Annotated[int, typer.Option()],
        "folds": Annotated[
            int | None,
            typer.Option(show_default=False),
        ],
        "epochs": Annotated[int | None, typer.Option(show_default=False)],
        "precision": PRECISION,
        "operating_point": OperatingRule,
        "permute_labels": Annotated[
            bool,
            typer.Option(
                "--permute-labels",
            ),
        ],
        "calibrate": Annotated[str, typer.Option()],
        "checkpoint_every": CHECKPOINT_EVERY,
    },
)
TRIAL = Group(
    TrainOptions,
    {
        "epochs": Annotated[
            int | None, typer.Option(help="Epochs of a trial. Default: the study's.", show_default=False)
        ],
        "seed": Annotated[int, typer.Option(help="Seed of the sampler and of every training.")],
        "precision": PRECISION,
        "checkpoint_every": CHECKPOINT_EVERY,
    },
)


def grouped(**groups: Group) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that replaces each named parameter of a command by a group's options, and passes their object."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            parameters += _options(groups[parameter.name]) if parameter.name in groups else [parameter]

        def wrapper(**given: Any) -> Any:
            values = {
                name: group.kind(**{option: given.pop(option) for option in group.options})
                for name, group in groups.items()
            }
            return command(**given, **values)

        wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
        wrapper.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        )
        return wrapper

    return decorate


def _options(group: Group) -> list[inspect.Parameter]:
    defaults = {field.name: field.default for field in fields(group.kind)}
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults[name],
            annotation=_helped(annotation, texts(group.kind).get(name)),
        )
        for name, annotation in group.options.items()
    ]


def _helped(annotation: Any, text: str | None) -> Any:
    """The annotation with the field's own words, where the option has no others."""
    kind, option = get_args(annotation)
    if option.help is None:
        option = copy(option)
        option.help = text
    return Annotated[kind, option]
