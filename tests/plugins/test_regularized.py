from dataclasses import replace

import numpy as np
import pytest

from pneumobench import View
from pneumobench.authoring import knobs, registry
from pneumobench.data import split
from pneumobench.training import backend, network, trainer
from pneumobench.training.predictor import load

pytestmark = pytest.mark.slow
SHAPE = (48, 48, 3)


def gradients(auxiliary_weight):
    """The largest change of the first layer's and the auxiliary head's kernels in one SGD step."""
    plugin = registry.load("regularized")
    values = knobs.resolve(plugin, {"auxiliary_weight": auxiliary_weight, "dropout": 0.0})
    keras = backend.keras()
    keras.utils.set_random_seed(0)
    model = plugin.build(SHAPE, dropout=0.0)
    model.compile(keras.optimizers.SGD(1.0), network._loss(plugin, values), jit_compile=False, run_eagerly=True)
    before = [np.asarray(weight) for weight in model.trainable_weights]
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (4, *SHAPE)).astype(np.float32), np.array([[0.0], [1], [1], [0]], np.float32)
    model.train_on_batch(images, {"main": labels, "auxiliary": labels})
    moved = [np.abs(np.asarray(new) - old).max() for new, old in zip(model.trainable_weights, before, strict=True)]
    index = [weight.path for weight in model.trainable_weights].index("auxiliary/kernel")
    return {"stem": moved[0], "auxiliary": moved[index]}


def test_the_auxiliary_loss_changes_the_gradients():
    without, with_it, heavier = gradients(0.0), gradients(0.3), gradients(0.6)
    assert without["auxiliary"] == 0
    assert heavier["auxiliary"] == pytest.approx(2 * with_it["auxiliary"], rel=1e-3)
    assert with_it["stem"] != pytest.approx(without["stem"], rel=1e-3), "it reaches the first layer"


def test_the_saved_model_is_without_the_auxiliary_head(dataset, tmp_path):
    plugin = replace(registry.load("regularized"), view=View(*SHAPE[:2], channels=3))
    values = knobs.resolve(plugin, {})
    with backend.eagerly():
        trained = trainer.train(plugin, split.split(dataset)[0], values, seed=0, epochs=1, name="regularized")
    trained.save(tmp_path, threshold=0.5)
    saved = load(tmp_path)[0].model
    assert len(saved.outputs) == 1
    assert "auxiliary" not in [layer.name for layer in saved.layers]
    assert "auxiliary" in [layer.name for layer in plugin.build(SHAPE).layers]
    assert saved.count_params() < trained.parameters
