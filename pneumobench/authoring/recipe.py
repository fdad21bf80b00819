"""What a plugin author writes: values made of plain functions, whose keyword-only arguments are the knobs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pneumobench.errors import UsageError

if TYPE_CHECKING:  # for annotations alone: listing plugins takes half a second without it
    import numpy as np


@dataclass(frozen=True)
class View:
    """How images reach a model: float32, 0 to 255, shape (n, height, width, channels).

    Colour is dropped on reading (it gives the class away in this data), so 3 channels are three equal ones.
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


MONITORS = ("loss", "val_auroc", "val_log_loss", "val_accuracy")  # what is known after each epoch


@dataclass(frozen=True)
class Phase:
    """One stretch of training with one optimizer.

    `optimizer` is a Keras name, or a function of (learning rate, steps in the phase) that returns a Keras
    optimizer. With `patience`, training stops after that many epochs without a better `monitor`; with
    `restore_best`, the weights of the best epoch are put back at the end of the phase.
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
    """The plainest schedule: all weights, one rate, Adam."""
    yield Phase("train", epochs=epochs, learning_rate=learning_rate)


Hook = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained.

    - `build(shape, *, …) -> keras.Model`: its first output is one sigmoid, shape (n, 1), in float32.
      Preprocessing is inside the model. Further named outputs serve training only.
    - `schedule(model, *, …)`: yields `Phase`s; code between the yields runs between the phases.
    - `space(trial, *, …) -> {knob: value}`: what a study searches.
    - `loss`: a Keras loss, or a function of knobs that returns one; by output name where there are several.
    - `resample(labels (n,), seed) -> indices (m,)`, then `weigh(labels (m,)) -> weights (m,) float32`.
    - `augment(*, …)`: an albumentations transform of grey uint8 images (height, width), or one by label,
      `{0: normal, 1: pneumonia}`; used on the training images alone.
    - `view`, `batch_size`: a value, or a function of knobs.
    - `defaults`: other defaults for knobs of the hooks; `check`: knob values for the contract suite.
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
      pixels of a thumbnail; or (n, d) float32, what `features` makes of the images.
    - `features(shape, *, …) -> keras.Model`: takes images as a recipe's network does, gives (n, d); it is not
      trained, and what it gives is kept in the cache.
    - `space`, `resample`, `weigh`, `view`, `defaults`, `check`: as in `Recipe`. Weights are passed to the
      `fit` of a pipeline's last step. Samplers in an imbalanced-learn pipeline act in training alone.
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
        """Whether a network makes its features; over pixels no network is needed."""
        return self.features is not None


@dataclass(frozen=True, init=False)
class Ensemble:
    """The mean probability of other plugins, each trained on its own: `Ensemble("a", "b", …)`.

    `members` are names from `pneumobench plugins`, each with its own view; they are a knob as well
    (`--set members=a,b`), and a member's knobs are called `a.dropout`. `space(trial, *, …)`, `defaults` and
    `check` as in `Recipe`, with those names.
    """

    members: tuple[str, ...]
    space: Hook | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)

    has_epochs: ClassVar[bool] = True  # those of its members that have any

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
            raise UsageError("an ensemble takes at least one member by name")


Plugin = Recipe | Estimator | Ensemble


def balanced(labels: np.ndarray) -> np.ndarray:
    """Weights (n,) float32 that give both classes the same total: scikit-learn's "balanced" formula."""
    from sklearn.utils.class_weight import compute_sample_weight

    return compute_sample_weight("balanced", labels).astype("float32")


def adamw(*, weight_decay: float, warmup: float = 0.05) -> Callable[[float, int], Any]:
    """A `Phase.optimizer`: AdamW whose rate rises over the first share `warmup` of the steps, then falls to 0.

    The rise is linear from a tenth, the fall a cosine (Loshchilov and Hutter, "SGDR", ICLR 2017; "Decoupled
    Weight Decay Regularization", ICLR 2019).
    """

    def optimizer(rate: float, steps: int) -> Any:
        import keras
        from keras import ops

        rising = round(steps * warmup)

        # Keras' CosineDecay branches, once for every weight: tracing it took longer than an epoch
        class Cosine(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step: Any) -> Any:
                step = ops.cast(step, "float32")
                up = ops.minimum(1.0, 0.1 + 0.9 * step / max(1, rising)) if rising else 1.0
                through = ops.clip((step - rising) / max(1, steps - rising), 0.0, 1.0)
                return rate * up * 0.5 * (1 + ops.cos(math.pi * through))

        return keras.optimizers.AdamW(Cosine(), weight_decay=weight_decay)

    return optimizer
