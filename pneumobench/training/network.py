"""Training of a recipe's network: build, compile and fit each phase, keep the first output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pneumobench.authoring.knobs import call, value_of
from pneumobench.authoring.recipe import Phase, Recipe, View
from pneumobench.data.subset import Development
from pneumobench.errors import PluginError, UsageError
from pneumobench.training import backend, returned
from pneumobench.training.augmentation import Augmentation
from pneumobench.training.checkpoint import Checkpoint
from pneumobench.training.precision import Resolved, policy, resolve
from pneumobench.training.predictor import NetworkPredictor
from pneumobench.training.sampling import sample
from pneumobench.utils.progress import Progress


def fit(
    plugin: Recipe,
    development: Development,
    knobs: Mapping[str, Any],
    *,
    seed: int,
    epochs: int | None,
    precision: str,
    on_epoch: Any,
    progress: Progress,
    name: str,
    checkpoint: Checkpoint | None = None,
) -> NetworkPredictor:
    """Train a recipe's network through all of its phases, or go on where its checkpoint ends."""
    keras = backend.keras()
    from pneumobench.training.batches import Batches
    from pneumobench.training.callbacks import ValidationCallback
    from pneumobench.training.resumption import Resumption

    view = value_of(plugin.view, knobs)
    resolved = resolve(precision)
    counts = plan(plugin, view, knobs, epochs, name)

    keras.utils.set_random_seed(seed)
    model, resolved = build(plugin, view, knobs, resolved, name)
    predictor = NetworkPredictor(
        model=keras.Model(model.inputs[0], model.outputs[0], name=name),
        view=view,
        parameters=model.count_params(),
        precision=resolved,
    )
    if resolved != resolve(precision):
        progress.note(f"'{name}' trains in float32: its output layer lacks dtype=\"float32\"")

    augmentation = plugin.augment and Augmentation(returned.transforms(call(plugin.augment, knobs=knobs)))
    if augmentation:
        augmentation.check(view.height, view.width)
    part = development.training
    rows, weights = sample(plugin, part.labels, seed)
    batches = Batches(
        part.pixels(view).take(rows),
        part.labels[rows],
        view,
        batch_size=returned.batch_size(value_of(plugin.batch_size, knobs)),
        seed=seed,
        weights=weights,
        augmentation=augmentation,
        outputs=tuple(model.output_names),
    )
    validation = ValidationCallback(
        predictor,
        development,
        images=len(rows),
        epochs=sum(counts),
        on_epoch=on_epoch,
        progress=progress,
    )
    progress.training(name, sum(counts), len(batches))
    resumption = Resumption(checkpoint, validation, batches)
    if earlier := resumption.reports:
        progress.fact(f"{name} is resumed after epoch {earlier[-1].number} of {sum(counts)}")
        validation.resume(earlier)
    # zip advances the generator once more after the last phase, so that its final code runs too
    with batches.feeding(model):
        for number, (phase, count) in enumerate(zip(call(plugin.schedule, model, knobs=knobs), counts, strict=True)):
            first = resumption.first_epoch(number, count)
            if first is None:
                continue
            validation.begin(phase)
            stopping = _stopping(phase, count)
            resumption.begin(number, stopping)
            model.compile(
                optimizer=returned.optimizer(phase, count * len(batches)),
                loss=_loss(plugin, knobs),
                jit_compile=backend.name() == "jax",  # XLA slows TensorFlow down on CPUs; JAX requires it
            )
            callbacks = [validation, *stopping, resumption]
            # the batches shuffle themselves
            model.fit(batches, epochs=count, initial_epoch=first, shuffle=False, verbose=0, callbacks=callbacks)
    seconds = resumption.seconds if resumption.reports else 0.0
    return replace(predictor, images_per_second=validation.rate(), seconds=seconds)


def plan(plugin: Recipe, view: View, knobs: Mapping[str, Any], epochs: int | None, name: str) -> list[int]:
    """The epochs of each phase, from a dry run of the schedule on a temporary model.

    A separate model is needed because code between the phases changes it, so the real one's phases cannot be
    listed in advance.
    """
    model = returned.network(call(plugin.build, view.shape, knobs=knobs), "build", name)
    phases = [phase.epochs for phase in returned.phases(call(plugin.schedule, model, knobs=knobs), name)]
    return phases if epochs is None else apportion(phases, epochs, name)


def apportion(phases: list[int], total: int, name: str) -> list[int]:
    """`total` epochs distributed over the phases in proportion to their epochs, at least one each.

    Left-over epochs go to the largest remainders (Hamilton's method).
    """
    if total < len(phases):
        raise UsageError(f"--epochs is at least {len(phases)}, one for each phase of '{name}', not {total}")
    free = total - len(phases)
    shares = [free * count / sum(phases) for count in phases]
    counts = [1 + int(share) for share in shares]
    by_remainder = sorted(range(len(phases)), key=lambda i: int(shares[i]) - shares[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def build(plugin: Recipe, view: View, knobs: Mapping[str, Any], precision: Resolved, name: str) -> tuple[Any, Resolved]:
    """The network, and its actual precision: float32 if its output would not be float32 otherwise.

    Raises: PluginError if the first output does not have shape (None, 1).
    """
    with policy(precision):
        model = returned.network(call(plugin.build, view.shape, knobs=knobs), "build", name)
    output = model.outputs[0]
    if output.shape[1:] != (1,):
        raise PluginError(
            f"`build` of '{name}' has a first output of shape {tuple(output.shape)}; it must be (None, 1)"
        )
    if output.dtype != "float32" and precision == "bfloat16":
        return build(plugin, view, knobs, "float32", name)
    return model, precision


def _loss(plugin: Recipe, knobs: Mapping[str, Any]) -> Any:
    if isinstance(plugin.loss, Mapping):
        return {name: returned.loss(value_of(loss, knobs)) for name, loss in plugin.loss.items()}
    return returned.loss(value_of(plugin.loss, knobs))


def _stopping(phase: Phase, epochs: int) -> list[Any]:
    if phase.patience is None and not phase.restore_best:
        return []
    stopping = backend.keras().callbacks.EarlyStopping(
        monitor=phase.monitor,
        patience=epochs if phase.patience is None else phase.patience,
        mode="min" if "loss" in phase.monitor else "max",
        restore_best_weights=phase.restore_best,
    )
    return [stopping]
