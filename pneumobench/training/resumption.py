"""A Keras callback that keeps a training's state at the ends of epochs, and restores it where one is resumed."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from pneumobench.errors import TrainingError
from pneumobench.training.batches import Batches
from pneumobench.training.callbacks import ValidationCallback
from pneumobench.training.checkpoint import Checkpoint, State
from pneumobench.utils.progress import Epoch

STOPPING = ("wait", "best", "best_epoch", "stopped_epoch")


class Resumption(keras.callbacks.Callback):
    """The last callback of each phase, so that the state it writes includes what the others did with the epoch.

    The state: model and optimizer variables (seeds of dropout among them), the phase and its epoch, early stopping
    with its best weights, the reports of the epochs so far, and the random states of Python, NumPy and Keras. The
    images' order and augmentation depend on seed and epoch alone.
    """

    def __init__(self, checkpoint: Checkpoint | None, validation: ValidationCallback, batches: Batches):
        super().__init__()
        self._checkpoint, self._validation, self._batches = checkpoint, validation, batches
        self._began = time.perf_counter()
        self._phase = 0
        self._stopping: Any = None
        self._state: State | None = checkpoint.read() if checkpoint else None
        self._before = self._state.about["seconds"] if self._state else 0.0

    @property
    def reports(self) -> list[Epoch]:
        """The epochs that were trained before this process."""
        reports = self._state.about["reports"] if self._state else []
        return [Epoch(**report | {"earlier": True}) for report in reports]

    @property
    def seconds(self) -> float:
        """The training time so far, that of the interrupted processes included."""
        return self._before + time.perf_counter() - self._began

    def first_epoch(self, phase: int, epochs: int) -> int | None:
        """The epoch from which a phase is trained, both from 0; None where the whole phase is done."""
        if self._state is None or phase > self._state.about["phase"]:
            return 0
        if phase < self._state.about["phase"]:
            return None
        # after early stopping no epoch is left, but the best weights are still to be restored
        return epochs if self._state.about["stopped"] else self._state.about["epoch"]

    def begin(self, phase: int, stopping: Sequence[Any]) -> None:
        """The next epochs belong to this phase, with this early stopping, if any."""
        self._phase, self._stopping = phase, stopping[0] if stopping else None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        state = self._state
        if state is None or self._checkpoint is None or state.about["phase"] != self._phase:
            return
        self.model.optimizer.build(self.model.trainable_variables)
        _assign(self.model.variables, state.arrays.get("model", []), self._checkpoint)
        _assign(self.model.optimizer.variables, state.arrays.get("optimizer", []), self._checkpoint)
        if self._stopping is not None:
            for name in STOPPING:
                setattr(self._stopping, name, state.about["stopping"][name])
            self._stopping.best_weights = state.arrays.get("best")
        self._batches.resume(state.about["batches"])
        _restore_random(state)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._checkpoint is None or not self._checkpoint.is_due:
            return
        about, arrays = _random()
        best = getattr(self._stopping, "best_weights", None)
        about |= {
            "phase": self._phase,
            "epoch": epoch + 1,
            "batches": self._batches.epoch,
            "stopped": bool(self.model.stop_training),
            "stopping": {name: _number(getattr(self._stopping, name, None)) for name in STOPPING},
            "reports": [asdict(report) for report in self._validation.reports],
            "seconds": self.seconds,
        }
        arrays |= {
            "model": [keras.ops.convert_to_numpy(variable) for variable in self.model.variables],
            "optimizer": [keras.ops.convert_to_numpy(variable) for variable in self.model.optimizer.variables],
            **({"best": best} if best is not None else {}),
        }
        self._checkpoint.write(about, arrays)


def _assign(variables: Sequence[Any], values: Sequence[np.ndarray], checkpoint: Checkpoint) -> None:
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
        raise TrainingError(f"the checkpoint {checkpoint.path} is of another network; remove it to train anew")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _random() -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    kind, keys, *rest = np.random.get_state(legacy=True)
    own = keras.src.backend.common.global_state.get_global_attribute("global_seed_generator")
    arrays = {"numpy": [np.asarray(keys)]}
    if own is not None:
        arrays["keras"] = [keras.ops.convert_to_numpy(own.state)]
    return {"python": random.getstate(), "numpy": [kind, *rest]}, arrays


def _restore_random(state: State) -> None:
    version, words, gauss = state.about["python"]
    random.setstate((version, tuple(words), gauss))
    kind, *rest = state.about["numpy"]
    np.random.set_state((kind, state.arrays["numpy"][0], *rest))
    if "keras" in state.arrays:
        keras.src.random.seed_generator.global_seed_generator().state.assign(state.arrays["keras"][0])
