"""Fitting an estimator on pixels or frozen features; the predictor has no samplers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pneumobench.authoring.knobs import call, value_of
from pneumobench.authoring.recipe import Estimator
from pneumobench.data.decode import as_batch
from pneumobench.data.subset import Development
from pneumobench.errors import PluginError
from pneumobench.training import backend, returned
from pneumobench.training.predictor import EstimatorPredictor, flat
from pneumobench.training.sampling import sample
from pneumobench.utils.progress import Progress


def fit(
    plugin: Estimator, development: Development, knobs: Mapping[str, Any], *, seed: int, progress: Progress, name: str
) -> EstimatorPredictor:
    """Fit a plugin's estimator on the training part."""
    part, view = development.training, value_of(plugin.view, knobs)
    rows, weights = sample(plugin, part.labels, seed)
    model = returned.estimator(call(plugin.build, knobs=knobs), name)
    model.set_params(**{key: seed for key in model.get_params() if key.split("__")[-1] == "random_state"})
    if weights is not None and _samplers(model):
        raise PluginError(
            f"'{name}' weighs images and has a sampler in its pipeline, which changes their number; use one of the two"
        )
    weigh = f"{model.steps[-1][0]}__sample_weight" if hasattr(model, "steps") else "sample_weight"
    extractor, feature_seconds = None, 0.0
    if plugin.features is None:
        X = flat(as_batch(part.pixels(view)[rows], view))
    else:
        from pneumobench.training.features import features

        backend.keras().utils.set_random_seed(seed)  # for a backbone with random weights
        extractor = returned.network(call(plugin.features, view.shape, knobs=knobs), "features", name)
        if len(extractor.output_shape) != 2:
            raise PluginError(
                f"`features` of '{name}' has the output shape {extractor.output_shape}; it must be (n, d)"
            )
        all_features, feature_seconds = features(extractor, part, view, progress)
        X = all_features[rows]
    progress.stage(f"fitting on {len(rows):,} images")
    began = time.perf_counter()
    model.fit(X, part.labels[rows], **({} if weights is None else {weigh: weights}))
    fit_seconds = time.perf_counter() - began
    return EstimatorPredictor(
        model=without_samplers(model),
        extractor=extractor,
        view=view,
        images_per_second=len(rows) / fit_seconds,
        seconds=feature_seconds + fit_seconds,
        parameters=_parameters(model) + (extractor.count_params() if extractor is not None else 0),
    )


def _samplers(model: Any) -> list[str]:
    """The names of an imbalanced-learn pipeline's steps that resample."""
    return [name for name, step in getattr(model, "steps", []) if hasattr(step, "fit_resample")]


def without_samplers(model: Any) -> Any:
    """A scikit-learn pipeline without the samplers, which act in training only, so that it loads without imblearn."""
    if not hasattr(model, "steps"):
        return model
    from sklearn.pipeline import Pipeline

    return Pipeline([step for step in model.steps if step[0] not in _samplers(model)])


def _parameters(model: Any) -> int:
    """The fitted coefficients of a linear model or of a pipeline that ends in one, counted; 0 for others."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return sum(getattr(last, name).size for name in ("coef_", "intercept_") if hasattr(last, name))
