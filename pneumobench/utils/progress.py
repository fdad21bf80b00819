"""What a run reports while it works; the base class shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NoteKind = Literal["note", "phantom"]


@dataclass(frozen=True)
class Epoch:
    """One finished epoch: its number from 1, its phase, the training loss, validation figures and speed."""

    number: int
    of: int
    phase: str
    loss: float
    val_auroc: float
    val_log_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float  # training steps alone, validation not counted
    images_per_second: float
    earlier: bool = False  # trained by a process that was interrupted, and read from its checkpoint
    val_auroc_corrupted: float | None = None  # on validation images that are blurred, compressed and noised

    def metrics(self) -> dict[str, float]:
        """The figures by the names under which they are tracked."""
        names = ["loss", "val_auroc", "val_log_loss", "val_accuracy", "learning_rate", "images_per_second"]
        names += ["val_auroc_corrupted"] if self.val_auroc_corrupted is not None else []
        return {name: getattr(self, name) for name in names}


def describe(epoch: Epoch) -> str:
    """One epoch in a line."""
    return (
        f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.4f}  "
        f"validation AUROC {epoch.val_auroc:.4f}  log-loss {epoch.val_log_loss:.4f}  "
        f"{epoch.images_per_second:.0f} images/s  {epoch.seconds:.0f} s"
    )


class Progress:
    """Is told of stages, batches and epochs; override what you want to show."""

    def note(self, text: str, kind: NoteKind = "note") -> None:
        """Something the user should know, such as how many images have no known patient.

        Of the kind "phantom" is the note that the images are synthetic for want of others.
        """

    def fact(self, text: str) -> None:
        """What a run works on, such as the images of each part."""

    def stage(self, text: str) -> None:
        """A stage begins: reading, hashing, decoding, scoring."""

    def advance(self, done: int, total: int) -> None:
        """`done` of the stage's `total` images are done."""

    def training(self, name: str, epochs: int, steps: int) -> None:
        """A training begins: its name, epochs in all, steps an epoch."""

    def batch(self, epoch: int, step: int, loss: float) -> None:
        """Step `step` of epoch `epoch`, both from 1, is done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is done."""

    def epoch_of(self, name: str, epoch: Epoch) -> None:
        """An epoch of a training among others is done, in another process."""
