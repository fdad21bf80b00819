"""The files of a saved model, networks and estimators, read without running what is in them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from pneumobench.errors import TrackingError, one_line
from pneumobench.training import backend, plugin_code
from pneumobench.training.trusted import untrusted

NETWORK, ESTIMATOR, EXTRACTOR = "model.keras", "model.skops", "features.keras"


def needs_plugin(folder: Path) -> bool:
    """Whether the model in a folder needs its plugin's code to be loaded."""
    networks = [folder / file for file in (NETWORK, EXTRACTOR) if (folder / file).exists()]
    is_estimator = (folder / ESTIMATOR).exists()
    return any(map(custom, networks)) or (is_estimator and bool(untrusted(types(folder / ESTIMATOR))))


def types(path: Path) -> list[str]:
    """The types in an estimator's file that skops does not trust of itself.

    Raises: TrackingError if it is no such file.
    """
    import skops.io

    try:
        return skops.io.get_untrusted_types(file=path)
    except Exception as error:
        raise TrackingError(f"{path} is not an estimator that skops saved: {one_line(error)}") from error


def custom(path: Path) -> set[str]:
    """The names of the layers and functions in a network's file that are not Keras' own.

    Raises: TrackingError if it is no such file.
    """
    try:
        return plugin_code.custom_objects(path)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise TrackingError(f"{path} is not a network that Keras saved: {error}") from error


def network(path: Path) -> Any:
    """The network in a file, loaded in Keras' safe mode.

    Raises: TrackingError if that cannot be.
    """
    problem = f"the network in {path} cannot be loaded without running its code"
    if plugin_code.LAMBDA in custom(path):
        raise TrackingError(f"{problem}: it holds a lambda; name the function, at the top of the plugin's file")
    try:
        return backend.keras().saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras' safe mode raises ValueError and TypeError, a plugin's layers whatever they like
        raise TrackingError(f"{problem}: {one_line(error)[:300]}") from error
