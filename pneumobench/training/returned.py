"""What a plugin's hooks return, checked where it is used: each function returns a value that keeps the rule.

All raise PluginError with the hook, the rule and the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pneumobench.authoring.recipe import Phase
from pneumobench.errors import PluginError
from pneumobench.training import backend


def rows(value: Any, count: int) -> np.ndarray:
    """What `resample` returns: indices (m,) into `count` labels."""
    array = _array(value, "resample", "indices (m,)")
    if array.ndim != 1 or array.dtype.kind not in "iu" or not len(array):
        raise PluginError(f"`resample` returns {array.dtype} of shape {array.shape}; it must be indices (m,)")
    if array.min() < 0 or array.max() >= count:
        raise PluginError(f"`resample` gives indices from {array.min()} to {array.max()} for {count} labels")
    return array


def weights(value: Any, count: int) -> np.ndarray:
    """What `weigh` returns: weights (m,), one for each of `count` labels, finite and at least 0."""
    array = _array(value, "weigh", "weights (m,), one for each label (m,)")
    if array.shape != (count,) or array.dtype.kind != "f":
        raise PluginError(
            f"`weigh` returns {array.dtype} of shape {array.shape} for labels ({count},); "
            "it must be float32, one for each"
        )
    if not (np.isfinite(array).all() and array.min() >= 0 and array.sum() > 0):
        raise PluginError(f"`weigh` returns weights from {array.min():.3g} to {array.max():.3g}; 0 is the least")
    return array


def transforms(value: Any) -> Any:
    """What `augment` returns: a transform, or one for each label."""
    rule = "it must be an albumentations transform, or a mapping with one for the label 0, 1 or both"
    given = value if isinstance(value, Mapping) else {0: value}
    if not given or not set(given) <= {0, 1}:
        raise PluginError(f"`augment` returns a mapping with the keys {', '.join(map(str, given)) or 'none'}; {rule}")
    for transform in given.values():
        if isinstance(transform, type) or not (callable(transform) and hasattr(transform, "set_random_seed")):
            raise PluginError(f"`augment` returns {_what(transform)}; {rule}")
    return value


def augmented(images: Sequence[Any], before: np.ndarray) -> np.ndarray:
    """What the transforms of `augment` make of images (n, height, width) uint8: of the same shape, type and range."""
    for image in images:
        if getattr(image, "shape", None) != before.shape[1:] or image.dtype != before.dtype:
            given = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else _what(image)
            raise PluginError(
                f"`augment` makes an image {before.shape[1:]} uint8, 0 to 255, one of {given}; validation's images "
                "keep shape and type, so training's must too"
            )
    changed = np.stack(images)
    if changed.max() <= 1 < before.max() and changed.max() < before.max() / 8:
        raise PluginError(
            f"`augment` makes images from {before.min()} to {before.max()} ones from {changed.min()} to "
            f"{changed.max()}; validation's images keep the range 0 to 255, so training's must too"
        )
    return changed


def network(value: Any, hook: str, name: str) -> Any:
    """What `build` of a recipe, or `features`, returns: a Keras model."""
    if not isinstance(value, backend.keras().Model):
        raise PluginError(f"`{hook}` of '{name}' returns {_what(value)}, not a keras.Model")
    return value


def estimator(value: Any, name: str) -> Any:
    """What `build` of an estimator returns: one with scikit-learn's methods, not yet fitted."""
    needed = ("fit", "predict_proba", "get_params", "set_params")
    missing = [method for method in needed if not callable(getattr(value, method, None))]
    if isinstance(value, type) or missing:
        why = f" without {' and '.join(missing)}" if missing else ", to be called"
        raise PluginError(f"`build` of '{name}' returns {_what(value)}{why}; it must be a scikit-learn estimator")
    return value


def phases(value: Any, name: str) -> list[Phase]:
    """What `schedule` yields: at least one phase."""
    if not hasattr(value, "__iter__"):
        raise PluginError(f"the schedule of '{name}' returns {_what(value)}; it must yield `Phase`s")
    every = []
    for phase in value:
        if not isinstance(phase, Phase):
            raise PluginError(f"the schedule of '{name}' yields {_what(phase)}; it must yield `Phase`s")
        every.append(phase)
    if not every:
        raise PluginError(f"the schedule of '{name}' yields no phase")
    return every


def optimizer(phase: Phase, steps: int) -> Any:
    """The optimizer of a phase, for so many steps: of the Keras name, or what its function returns."""
    optimizers = backend.keras().optimizers
    if callable(phase.optimizer):
        made = phase.optimizer(phase.learning_rate, steps)
        if not isinstance(made, optimizers.Optimizer):
            raise PluginError(
                f"the optimizer function of phase '{phase.name}' returns {_what(made)}; it must be a Keras optimizer"
            )
        return made
    try:
        return optimizers.get({"class_name": phase.optimizer, "config": {"learning_rate": phase.learning_rate}})
    except (ValueError, TypeError):
        raise PluginError(
            f"phase '{phase.name}' takes a Keras optimizer's name, such as adam, or a function that returns one, "
            f"not {phase.optimizer!r}"
        ) from None


def loss(value: Any) -> Any:
    """A loss: a Keras name, or what Keras calls with labels and predictions."""
    try:
        made = backend.keras().losses.get(value)
    except (ValueError, TypeError):
        made = None
    if made is None:
        raise PluginError(f"`loss` is a Keras loss or its name, such as binary_crossentropy, not {value!r}")
    return value


def batch_size(value: Any) -> int:
    """The images of a batch."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise PluginError(f"`batch_size` is a whole number of at least 1, not {value!r}")
    return int(value)


def probabilities(value: Any, count: int) -> np.ndarray:
    """What `predict_proba` returns for `count` images: one column a class, of which the second is pneumonia's."""
    array = np.asarray(value)
    if array.shape != (count, 2) or array.dtype.kind not in "fiub":
        raise PluginError(
            f"`predict_proba` returns {array.dtype} of shape {array.shape} for {count} images; it must be ({count}, 2)"
        )
    return array.astype(np.float64)


def _array(value: Any, hook: str, rule: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if array.dtype.kind == "O":
        raise PluginError(f"`{hook}` returns {_what(value)}; it must be {rule}")
    return array


def _what(value: Any) -> str:
    if value is None or isinstance(value, str | int | float):
        return f"{value!r}"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
