"""Whether what a plugin would train could be loaded afterwards, tried before any training."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.authoring.components import Component, components
from pneumobench.authoring.knobs import call
from pneumobench.authoring.recipe import Plugin, Recipe
from pneumobench.errors import PluginError, one_line
from pneumobench.training import backend, network, plugin_code, predictor, returned
from pneumobench.training.predictor import EstimatorPredictor, NetworkPredictor, Predictor
from pneumobench.training.trainer import home_of

ROWS = 64  # of random numbers, on which an estimator is fitted to see what it then holds


def check(plugin: Plugin, knobs: Mapping[str, Any], name: str, module: str) -> None:
    """Save untrained models of a plugin's components and load them; `module` is that of the plugin's file.

    A network of Keras' own layers alone can be loaded, and is not tried.
    Raises: PluginError that says why a model could not be loaded; what building it raises.
    """
    for component in components(plugin, knobs, name):
        model = _untrained(component, home_of(component, module, plugin))
        networks = [getattr(model, part, None) for part in ("model", "extractor")]
        if isinstance(model, NetworkPredictor) and not any(_is_custom(each, name) for each in networks):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                model.save(Path(folder), threshold=0.5)
                predictor.load(Path(folder))
            except Exception as error:
                reason = one_line(error).replace(f"{folder}/", "").replace(f" in {folder}", "")
                raise PluginError(f"a trained '{component.name}' could not be loaded again: {reason}") from error


def _untrained(component: Component, module: str) -> Predictor:
    plugin, view, knobs = component.plugin, component.view, component.knobs
    if isinstance(plugin, Recipe):
        built, _ = network.build(plugin, view, knobs, "float32", component.name)
        model = backend.keras().Model(built.inputs[0], built.outputs[0])
        return NetworkPredictor(model=model, view=view, module=module)
    extractor = None
    if plugin.features:
        extractor = returned.network(call(plugin.features, view.shape, knobs=knobs), "features", component.name)
    estimator = returned.estimator(call(plugin.build, knobs=knobs), component.name)
    width = extractor.output_shape[-1] if extractor is not None else int(np.prod(view.shape))
    return EstimatorPredictor(model=_fitted(estimator, min(width, 4096)), extractor=extractor, view=view, module=module)


def _fitted(estimator: Any, columns: int) -> Any:
    """The estimator fitted on a few random numbers, or as it was where it cannot be fitted on these."""
    from pneumobench.training.estimator import without_samplers

    rng = np.random.default_rng(0)
    X, y = rng.random((ROWS, columns), np.float32), np.arange(ROWS, dtype=np.int8) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return without_samplers(estimator.fit(X, y))
        except Exception:
            return without_samplers(estimator)


def _is_custom(model: Any, name: str) -> bool:
    if model is None:
        return False
    try:
        return bool(plugin_code.custom_in(backend.keras().saving.serialize_keras_object(model)))
    except Exception as error:
        raise PluginError(f"a trained '{name}' could not be saved: {one_line(error)[:300]}") from error
