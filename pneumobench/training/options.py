"""Training options that apply to any plugin: seeds, folds, epochs, precision, operating point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pneumobench.data.options import at_least
from pneumobench.errors import UsageError
from pneumobench.utils.described import described

Precision = Literal["auto", "float32", "bfloat16"]
MAX_SEED = 2**32  # NumPy's and Keras' generators accept seeds below this


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """`seeds` trainings from `seed` on, or one per fold of `folds`; `epochs` in total, None for the plugin's own.

    `operating_point` is the rule that chooses the threshold on validation: youden, sensitivity=S, or a number.
    `permute_labels` trains on shuffled labels, each seed on its own permutation, to see what chance gives.
    `calibrate` is what corrects the probabilities, fitted on validation: temperature, isotonic or none.
    The state of a training is written at the end of an epoch, `checkpoint_every` seconds after the last time at least.
    Raises: UsageError for an unknown choice or a number out of range.
    """

    seeds: int = described(1, "Number of trainings, with consecutive seeds from --seed.")
    seed: int = described(0, "First training seed.")
    folds: int | None = described(None, "Cross-validate with this many folds; each patient is held out once.")
    epochs: int | None = described(None, "Total epochs, divided among the plugin's phases.")
    precision: str = described(
        "auto",
        "auto, float32 or bfloat16; auto is bfloat16 on devices that compute it fast.",
    )
    operating_point: str = described(
        "youden",
        "Threshold chosen on validation: youden, sensitivity=S, or a number.",
    )
    permute_labels: bool = described(False, "Train on shuffled labels; such a run is never compared.")
    calibrate: str = described("none", "Correct the probabilities on validation: temperature, isotonic or none.")
    checkpoint_every: float = described(
        30.0, "Write a training's state at the end of an epoch, so long after the last time; 0: each epoch."
    )

    def __post_init__(self) -> None:
        from pneumobench.evaluation import calibrator
        from pneumobench.evaluation.operating_point import check_rule

        at_least(("--seeds", self.seeds, 1), ("--seed", self.seed, 0), ("--epochs", self.epochs, 1))
        at_least(("--folds", self.folds, 2))
        if self.seed + self.seeds > MAX_SEED:
            raise UsageError(f"training seeds are below {MAX_SEED}, not {self.seed + self.seeds - 1}")
        if self.folds and self.seeds > 1:
            raise UsageError(
                f"--folds {self.folds} trains one seed {self.folds} times; for more seeds run it again with --seed"
            )
        if not self.checkpoint_every >= 0:
            raise UsageError(f"--checkpoint-every is at least 0 seconds, not {self.checkpoint_every:g}")
        if self.precision not in get_args(Precision):
            raise UsageError(f"--precision is one of {', '.join(get_args(Precision))}, not '{self.precision}'")
        check_rule(self.operating_point)
        calibrator.check(self.calibrate)

    @property
    def numbers(self) -> range:
        """The training seeds."""
        return range(self.seed, self.seed + self.seeds)
