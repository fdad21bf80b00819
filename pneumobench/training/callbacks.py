"""A Keras callback that scores the validation part after each epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from pneumobench.authoring.recipe import Phase
from pneumobench.data.subset import Development
from pneumobench.errors import TrainingError
from pneumobench.evaluation import metrics
from pneumobench.training.predictor import Predictor
from pneumobench.utils.progress import Epoch, Progress

BETWEEN_LOSSES = 0.1  # seconds: reading the loss waits for the device, so not after every step


class ValidationCallback(keras.callbacks.Callback):
    """Scores the validation part after each epoch, adds the metrics to Keras' logs and reports them.

    Raises: TrainingError if the training loss or a prediction is not finite.
    """

    def __init__(
        self,
        predictor: Predictor,
        development: Development,
        *,
        images: int,
        epochs: int,
        on_epoch: Any,
        progress: Progress,
    ):
        super().__init__()
        self._predictor, self._development = predictor, development
        self._images, self._epochs = images, epochs
        self._on_epoch, self._progress = on_epoch, progress
        self._phase = ""
        self._number = 0
        self._loss_read = 0.0
        self._seconds: list[float] = []
        self.reports: list[Epoch] = []

    def begin(self, phase: Phase) -> None:
        """The next epochs belong to this phase."""
        self._phase = phase.name

    def resume(self, reports: Sequence[Epoch]) -> None:
        """Go on after epochs that were trained before, which are reported again."""
        for report in reports:
            self._seconds.append(report.seconds)
            self._number = report.number
            self.reports.append(report)
            if self._on_epoch:
                self._on_epoch(report)

    def rate(self) -> float:
        """Training images per second, without the first epoch, in which graphs are traced."""
        counted = self._seconds[1:] or self._seconds
        return self._images * len(counted) / sum(counted)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._number += 1
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if time.perf_counter() - self._loss_read > BETWEEN_LOSSES:
            self._progress.batch(self._number, batch + 1, float((logs or {}).get("loss", math.nan)))
            self._loss_read = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        seconds = time.perf_counter() - self._started
        self._seconds.append(seconds)
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise TrainingError(f"the training loss became {loss} in epoch {self._number}")
        validation, corrupted = self._development.validation, self._development.corrupted
        logs |= validation_metrics(validation.labels, self._predictor(validation), self._number)
        on_corrupted = corrupted and validation_metrics(corrupted.labels, self._predictor(corrupted), self._number)
        report = Epoch(
            number=self._number,
            of=self._epochs,
            phase=self._phase,
            loss=loss,
            val_auroc=logs["val_auroc"],
            val_log_loss=logs["val_log_loss"],
            val_accuracy=logs["val_accuracy"],
            learning_rate=float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            seconds=seconds,
            images_per_second=self._images / seconds,
            val_auroc_corrupted=on_corrupted["val_auroc"] if on_corrupted else None,
        )
        self.reports.append(report)
        self._progress.epoch(report)
        if self._on_epoch:
            self._on_epoch(report)


def validation_metrics(labels: np.ndarray, probabilities: np.ndarray, epoch: int) -> dict[str, float]:
    """AUROC, log-loss and accuracy at 0.5 of the model after an epoch, on the validation part."""
    if not np.isfinite(probabilities).all():
        raise TrainingError(f"the model predicts non-finite values after epoch {epoch}")
    if probabilities.min() < 0 or probabilities.max() > 1:
        bounds = f"values from {probabilities.min():.3g} to {probabilities.max():.3g}"
        raise TrainingError(f"the model predicts {bounds} after epoch {epoch}, which are not probabilities")
    points = metrics.point_of_probabilities(labels, probabilities)
    accuracy = float(np.mean((probabilities >= 0.5) == labels))
    return {"val_auroc": points["auroc"], "val_log_loss": points["log_loss"], "val_accuracy": accuracy}
