"""The clauses that every plugin must fulfil."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from pneumobench.authoring.components import components
from pneumobench.authoring.knobs import call, knobs_of, resolve
from pneumobench.authoring.recipe import Estimator, Recipe
from pneumobench.authoring.spaces import sample
from pneumobench.contract.case import SEED, Case, Clause, ContractError, NotApplicableError
from pneumobench.training import predictor
from pneumobench.training.augmentation import Augmentation, seeds_for

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
            model = call(component.plugin.build, knobs=component.knobs)
            missing = [name for name in ("fit", "predict_proba") if not hasattr(model, name)]
            if missing:
                raise ContractError(f"`build` returns a {type(model).__name__} without {' and '.join(missing)}")


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
    part = case.development.validation
    with tempfile.TemporaryDirectory() as folder:
        case.trained.save(Path(folder), threshold=0.5)
        loaded, _ = predictor.load(Path(folder))
        difference = np.abs(loaded(part) - case.trained(part)).max()
    if difference > CLOSE:
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
        values, _ = sample(case.plugin, seed)
        if not values:
            raise ContractError("`space` returns no knob")
        resolve(case.plugin, values)


def augmentation_fits(case: Case) -> None:
    if not isinstance(case.plugin, Recipe) or case.plugin.augment is None:
        raise NotApplicableError("no augmentation")
    augmentation = Augmentation(call(case.plugin.augment, knobs=case.knobs))
    pixels = np.random.default_rng(SEED).integers(0, 256, (8, *case.views[0].shape[:2]), dtype=np.uint8)
    labels, seeds = np.array([0, 1] * 4), seeds_for(SEED, 1, np.arange(8))
    changed = augmentation.each(pixels, labels, seeds)
    for image in changed:
        if image.shape != pixels.shape[1:] or image.dtype != np.uint8:
            raise ContractError(f"an image {pixels.shape[1:]} uint8, 0 to 255, becomes {image.shape} {image.dtype}")
    if not np.array_equal(changed, augmentation.each(pixels, labels, seeds)):
        raise ContractError("the same seeds give different images: does a transform use another random generator?")


def samples_fit(case: Case) -> None:
    resample, weigh = getattr(case.plugin, "resample", None), getattr(case.plugin, "weigh", None)
    if not resample and not weigh:
        raise NotApplicableError("neither `resample` nor `weigh`")
    labels = np.array([0] * 5 + [1] * 15, np.int8)
    rows = np.arange(len(labels))
    if resample:
        rows = np.asarray(resample(labels, SEED))
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
            raise ContractError(f"`resample` returns {rows.dtype} of shape {rows.shape}; it must be indices (m,)")
        if rows.min() < 0 or rows.max() >= len(labels):
            raise ContractError(f"`resample` gives indices from {rows.min()} to {rows.max()} for {len(labels)} labels")
    if weigh:
        weights = np.asarray(weigh(labels[rows]))
        if weights.shape != rows.shape or weights.dtype.kind != "f":
            raise ContractError(f"`weigh` returns {weights.dtype} of shape {weights.shape} for labels {rows.shape}")
        if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.sum() > 0):
            raise ContractError(f"`weigh` returns weights from {weights.min():.3g} to {weights.max():.3g}")


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
