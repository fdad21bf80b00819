"""What a plugin author writes: values made of plain functions, whose keyword-only arguments are the knobs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pneumobench.errors import UsageError

if TYPE_CHECKING:  # for annotations only: listing plugins takes half a second without NumPy
    import numpy as np


@dataclass(frozen=True)
class View:
    """How images reach a model: float32, 0 to 255, shape (n, height, width, channels).

    Images are read as greyscale, as colour reveals the class in this data, so the 3 channels are equal.
    """

    height: int
    width: int
    channels: int = field(default=3, kw_only=True)

    def __post_init__(self) -> None:
        if not (1 <= self.height <= 4096 and 1 <= self.width <= 4096):
            raise UsageError(f"a view is 1 to 4096 pixels high and wide, not {self.height} x {self.width}")
        if self.channels not in (1, 3):
            raise UsageError(f"a view has 1 or 3 channels, not {self.channels}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return (self.height, self.width, self.channels)


MONITORS = ("loss", "val_auroc", "val_log_loss", "val_accuracy")  # metrics available after each epoch


@dataclass(frozen=True)
class Phase:
    """One stage of training with one optimizer.

    `optimizer` is a Keras name, or a function of (learning rate, steps in the phase) that returns a Keras
    optimizer. With `patience`, training stops after that many epochs without an improvement of `monitor`;
    with `restore_best`, the weights of the best epoch are restored at the end of the phase.
    """

    name: str
    epochs: int = field(kw_only=True)
    learning_rate: float = field(kw_only=True)
    optimizer: str | Callable[[float, int], Any] = field(default="adam", kw_only=True)
    patience: int | None = field(default=None, kw_only=True)
    monitor: str = field(default="val_auroc", kw_only=True)
    restore_best: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UsageError(f"phase '{self.name}' takes at least 1 epoch, not {self.epochs}")
        if self.monitor not in MONITORS:
            raise UsageError(f"phase '{self.name}' monitors one of {', '.join(MONITORS)}, not '{self.monitor}'")
        if not self.learning_rate > 0:
            raise UsageError(f"phase '{self.name}' takes a learning rate above 0, not {self.learning_rate}")


def one_phase(model: Any, *, epochs: int = 5, learning_rate: float = 1e-3) -> Iterator[Phase]:
    """The default schedule: one phase with all weights, a constant learning rate and Adam."""
    yield Phase("train", epochs=epochs, learning_rate=learning_rate)


Hook = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained.

    - `build(shape, *, …) -> keras.Model`: its first output is one sigmoid, shape (n, 1), in float32.
      Preprocessing is part of the model. Further named outputs are used in training only.
    - `schedule(model, *, …)`: yields `Phase`s; code between two yields runs between the two phases.
    - `space(trial, *, …) -> {knob: value}`: what a study searches.
    - `loss`: a Keras loss, or a function of knobs that returns one; a dict by output name if there are several.
    - `resample(labels (n,), seed) -> indices (m,)`, then `weigh(labels (m,)) -> weights (m,) float32`.
    - `augment(*, …)`: an albumentations transform of grey uint8 images (height, width), or one per label,
      `{0: normal, 1: pneumonia}`; applied to training images only.
    - `view`, `batch_size`: a value, or a function of knobs.
    - `defaults`: overrides of the hooks' defaults; `check`: knob values for the contract suite.
    """

    build: Hook
    schedule: Hook = one_phase
    space: Hook | None = None
    loss: Any = "binary_crossentropy"
    resample: Callable[[np.ndarray, int], np.ndarray] | None = None
    weigh: Callable[[np.ndarray], np.ndarray] | None = None
    augment: Hook | None = None
    view: View | Hook = View(150, 150)
    batch_size: int | Hook = 64
    defaults: Mapping[str, Any] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)

    has_epochs: ClassVar[bool] = True
    needs_keras: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """Anything with scikit-learn's `fit(X, y)` and `predict_proba(X)`, over pixels or frozen features.

    - `build(*, …)` returns the unfitted estimator. X is (n, height * width * channels) float32, 0 to 1, the
      pixels of a thumbnail; or (n, d) float32, the images' `features`.
    - `features(shape, *, …) -> keras.Model`: takes images as a recipe's network does, returns (n, d); it is not
      trained, and its outputs are cached.
    - `space`, `resample`, `weigh`, `view`, `defaults`, `check`: as in `Recipe`. Weights are passed to the
      `fit` of a pipeline's last step. Samplers in an imbalanced-learn pipeline act in training only.
    """

    build: Hook
    features: Hook | None = None
    space: Hook | None = None
    resample: Callable[[np.ndarray, int], np.ndarray] | None = None
    weigh: Callable[[np.ndarray], np.ndarray] | None = None
    view: View | Hook = View(4, 4, channels=1)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)

    has_epochs: ClassVar[bool] = False

    @property
    def needs_keras(self) -> bool:
        """Whether it uses features of a network, not pixels."""
        return self.features is not None


@dataclass(frozen=True, init=False)
class Ensemble:
    """The mean probability of other plugins, each trained on its own: `Ensemble("a", "b", …)`.

    `members` are names from `pneumobench plugins`, each with its own view; they are also a knob
    (`--set members=a,b`), and a member's knobs are named `a.dropout`. `space(trial, *, …)`, `defaults` and
    `check` are as in `Recipe`, with those names.
    """

    members: tuple[str, ...]
    space: Hook | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)

    has_epochs: ClassVar[bool] = True  # of the members that have any

    def __init__(
        self,
        *names: str,
        members: Sequence[str] = (),  # what `dataclasses.replace` passes
        space: Hook | None = None,
        defaults: Mapping[str, Any] | None = None,
        check: Mapping[str, Any] | None = None,
    ):
        values = {"members": names or tuple(members), "space": space, "defaults": defaults or {}, "check": check or {}}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if not self.members:
            raise UsageError("an ensemble takes at least one member, by name")


Plugin = Recipe | Estimator | Ensemble


def balanced(labels: np.ndarray) -> np.ndarray:
    """Weights (n,) float32 that give both classes the same total: scikit-learn's "balanced" formula."""
    from sklearn.utils.class_weight import compute_sample_weight

    return compute_sample_weight("balanced", labels).astype("float32")


def adamw(*, weight_decay: float, warmup: float = 0.05) -> Callable[[float, int], Any]:
    """A `Phase.optimizer`: AdamW with linear warm-up over the first fraction `warmup` of the steps, then cosine decay.

    The learning rate starts at a tenth and ends at 0 (Loshchilov and Hutter, "SGDR", ICLR 2017; "Decoupled
    Weight Decay Regularization", ICLR 2019).
    """

    def optimizer(rate: float, steps: int) -> Any:
        import keras
        from keras import ops

        warmup_steps = round(steps * warmup)

        # Keras' CosineDecay branches once per weight: tracing it took longer than an epoch
        class Cosine(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step: Any) -> Any:
                step = ops.cast(step, "float32")
                up = ops.minimum(1.0, 0.1 + 0.9 * step / max(1, warmup_steps)) if warmup_steps else 1.0
                decayed = ops.clip((step - warmup_steps) / max(1, steps - warmup_steps), 0.0, 1.0)
                return rate * up * 0.5 * (1 + ops.cos(math.pi * decayed))

        return keras.optimizers.AdamW(Cosine(), weight_decay=weight_decay)

    return optimizer
