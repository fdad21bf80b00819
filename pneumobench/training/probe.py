"""Two fixed images that tell whether a loaded model predicts as the saved one did, whatever its plugin is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pneumobench.errors import TrackingError
from pneumobench.training import plugin_code

CLOSE = 0.01  # between probabilities: other devices and backends differ by less


def outputs(predictor: Any) -> list[float] | None:
    """A model's probabilities for two fixed images of noise; None for an estimator that is not fitted."""
    height, width, channels = predictor.view.shape
    images = np.random.default_rng(0).integers(0, 256, (2, height, width, 1)).astype(np.float32)
    try:
        return [float(value) for value in predictor.predict(np.repeat(images, channels, axis=3))]
    except Exception:
        return None


def check(predictor: Any, card: Mapping[str, Any]) -> tuple[str, ...]:
    """Notes about a loaded model of which its plugin's code is a part.

    Raises: TrackingError where it no longer predicts what the card holds.
    """
    before, now = card.get("probe"), outputs(predictor)
    file = f"{card['plugin_file']} has changed since this model was saved" if plugin_code.has_changed(card) else ""
    if before is not None and (now is None or not np.allclose(before, now, atol=CLOSE, equal_nan=True)):
        values = f"predicts {_listed(now)} for two test patterns, and {_listed(before)} when it was saved"
        if file:
            raise TrackingError(f"{file}, and the model now {values}; restore that file")
        raise TrackingError(
            f"once loaded the model {values}; its own layers must keep all that they need in `get_config`"
        )
    return (f"{file}; it predicts the same for two test patterns",) if file else ()


def _listed(values: list[float] | None) -> str:
    return "nothing" if values is None else " and ".join(f"{value:.3f}" for value in values)
