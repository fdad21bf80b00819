"""The clauses that every plugin must fulfil."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from pneumobench.authoring import spaces
from pneumobench.authoring.components import components
from pneumobench.authoring.knobs import call, knobs_of, resolve
from pneumobench.authoring.recipe import Estimator, Recipe
from pneumobench.contract import fresh
from pneumobench.contract.case import SEED, Case, Clause, ContractError, NotApplicableError
from pneumobench.data.decode import as_batch
from pneumobench.training import returned
from pneumobench.training.augmentation import Augmentation, seeds_for
from pneumobench.training.sampling import sample

SAMPLES = 10  # draws from a space
CLOSE = 1e-4  # tolerance for equal probabilities: floating-point sums in another order differ by less


def documented(case: Case) -> None:
    if not case.entry.summary or case.entry.summary.startswith("cannot be read"):
        raise ContractError("the file has no docstring, whose first line `pneumobench plugins` shows")


def knobs_agree(case: Case) -> None:
    knobs_of(case.plugin)
    resolve(case.plugin, case.plugin.check)


def builds(case: Case) -> None:
    if isinstance(case.plugin, Recipe):
        if case.untrained.input_shape[1:] != case.views[0].shape:
            raise ContractError(
                f"`build` takes images {case.untrained.input_shape[1:]}, the view is {case.views[0].shape}"
            )
        return
    for component in components(case.plugin, case.knobs, case.name):  # the members, if it is an ensemble
        if isinstance(component.plugin, Estimator):
            returned.estimator(call(component.plugin.build, knobs=component.knobs), component.name)


def steps_change_weights(case: Case) -> None:
    if not isinstance(case.plugin, Recipe):
        raise NotApplicableError("not a single network")
    untrained = case.untrained
    inference = type(untrained)(untrained.inputs, untrained.outputs[0])
    trainable = {id(weight) for weight in inference.trainable_weights}
    before = [np.asarray(weight) for weight in inference.weights]
    after = case.trained.model.get_weights()  # type: ignore[attr-defined]
    kept = [id(weight) in trainable for weight in inference.weights]
    if not all(np.isfinite(values).all() for values in after):
        raise ContractError("after one training step a weight is not finite")
    pairs = zip(before, after, kept, strict=True)
    if all(np.array_equal(old, new) for old, new, is_trainable in pairs if is_trainable):
        raise ContractError(
            "no weight changed in one training step: is any layer trainable, is the learning rate above 0?"
        )


def probabilities_in_range(case: Case) -> None:
    predicted, count = case.trained(case.development.validation), len(case.development.validation)
    if predicted.shape != (count,):
        raise ContractError(f"{count} images give predictions of shape {predicted.shape}")
    if not np.isfinite(predicted).all():
        raise ContractError("a prediction is not finite")
    if predicted.min() < 0 or predicted.max() > 1:
        raise ContractError(f"predictions from {predicted.min():.3g} to {predicted.max():.3g} are not probabilities")


def saves_and_loads(case: Case) -> None:
    part, model = case.development.validation, case.trained
    images = as_batch(part.pixels(model.view)[:], model.view)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder), threshold=0.5)
        difference = np.abs(fresh.probabilities(Path(folder), images) - model.predict(images)).max()
    if not difference <= CLOSE:
        raise ContractError(f"a saved and loaded model's probabilities differ by up to {difference:.2g}")


def repeats(case: Case) -> None:
    part = case.development.validation
    first = case.trained(part)
    difference = np.abs(case.train()(part) - first).max()
    if difference > CLOSE:
        raise ContractError(f"two trainings with seed {SEED} differ by up to {difference:.2g} in their probabilities")


def space_fits(case: Case) -> None:
    if case.plugin.space is None:
        raise NotApplicableError("no space")
    for seed in range(SAMPLES):
        values, _ = spaces.sample(case.plugin, seed)
        if not values:
            raise ContractError("`space` returns no knob")
        resolve(case.plugin, values)
    spaces.check(case.plugin)


def augmentation_fits(case: Case) -> None:
    if not isinstance(case.plugin, Recipe) or case.plugin.augment is None:
        raise NotApplicableError("no augmentation")
    augmentation = Augmentation(returned.transforms(call(case.plugin.augment, knobs=case.knobs)))
    pixels = np.random.default_rng(SEED).integers(0, 256, (8, *case.views[0].shape[:2]), dtype=np.uint8)
    labels, seeds = np.array([0, 1] * 4), seeds_for(SEED, 1, np.arange(8))
    changed = augmentation.each(pixels, labels, seeds)
    for image in changed:
        if image.shape != pixels.shape[1:] or image.dtype != np.uint8:
            raise ContractError(f"an image {pixels.shape[1:]} uint8, 0 to 255, becomes {image.shape} {image.dtype}")
    returned.augmented(changed, pixels)
    augmentation.check(*pixels.shape[1:])
    if not np.array_equal(changed, augmentation.each(pixels, labels, seeds)):
        raise ContractError("the same seeds give different images: does a transform use another random generator?")


def samples_fit(case: Case) -> None:
    if not getattr(case.plugin, "resample", None) and not getattr(case.plugin, "weigh", None):
        raise NotApplicableError("neither `resample` nor `weigh`")
    sample(case.plugin, np.array([0] * 5 + [1] * 15, np.int8), SEED)  # type: ignore[arg-type]


CLAUSES = (
    Clause("the docstring says what it is", "build", documented),
    Clause("the knobs of all hooks agree", "build", knobs_agree),
    Clause("the space stays within the knobs", "space", space_fits),
    Clause("resample returns indices, weigh weights", "resample", samples_fit),
    Clause("augmentation keeps shape, type and range", "augment", augmentation_fits),
    Clause("it builds at its view", "build", builds),
    Clause("predictions are probabilities, one per image", "build", probabilities_in_range),
    Clause("a training step changes the weights, all finite", "build", steps_change_weights),
    Clause("a saved model predicts the same", "build", saves_and_loads),
    Clause("the same seed gives the same result", "build", repeats),
)
