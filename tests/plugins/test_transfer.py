import numpy as np
import pytest

from pneumobench.authoring import knobs, registry
from pneumobench.training import backend

pytestmark = pytest.mark.slow
SMALL = {"backbone": "MobileNet", "weights": "none", "size": "32", "tuned_layers": "6"}


@pytest.fixture(scope="module")
def phases():
    """The backbone; and each phase with its trainable layers and the weights that one step changed."""
    keras = backend.keras()
    plugin = registry.load("transfer")
    values = knobs.resolve(plugin, SMALL)
    view = knobs.value_of(plugin.view, values)
    keras.utils.set_random_seed(0)
    model = knobs.call(plugin.build, view.shape, knobs=values)
    inner = model.get_layer("backbone")
    for weight in inner.weights:  # with random weights and frozen statistics the signal vanishes over 27 layers
        if weight.path.endswith("gamma"):
            weight.assign(weight * 5)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (4, *view.shape)).astype(np.float32), np.ones((4, 1), np.float32)
    phases = []
    for phase in knobs.call(plugin.schedule, model, knobs=values):
        before = [np.asarray(weight) for weight in inner.weights]
        model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", jit_compile=False)
        model.train_on_batch(images, labels)
        changed = {
            weight.path
            for weight, old in zip(inner.weights, before, strict=True)
            if not np.array_equal(np.asarray(weight), old)
        }
        phases.append((phase, [layer.name for layer in inner.layers if layer.trainable and layer.weights], changed))
    return inner, phases


def test_the_head_is_trained_first_with_a_frozen_backbone(phases):
    _, ((head, _, changed), _) = phases
    assert head.name == "head"
    assert changed == set()


def test_then_the_last_layers_at_a_lower_rate(phases):
    inner, ((head, _, _), (tune, trainable, changed)) = phases
    assert tune.name == "tune"
    assert tune.learning_rate < head.learning_rate
    last = [layer.name for layer in inner.layers[-6:] if layer.weights and not layer.name.endswith("_bn")]
    assert trainable == last
    assert {path.split("/")[0] for path in changed} <= set(last)
    assert changed


def test_batch_normalisation_stays_in_inference_mode(phases):
    _, (_, (_, _, changed)) = phases
    assert not [path for path in changed if "_bn" in path or "moving" in path]


def test_the_variant_combines_three_plugins():
    transfer, variant = registry.load("transfer"), registry.load("transfer_augmented")
    assert variant.build is transfer.build
    assert variant.augment is registry.load("augmented").augment
    assert variant.weigh is registry.load("class_weighted").weigh
