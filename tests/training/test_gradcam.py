"""Heatmaps against hand-computed ones, for flat and nested networks, and the models that are refused."""

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.errors import UsageError
from pneumobench.training.gradcam import gradcam
from pneumobench.training.predictor import EstimatorPredictor, NetworkPredictor, mean

pytestmark = pytest.mark.slow
SIDE = 32


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (2, SIDE, SIDE, 1)).astype(np.float32)


@pytest.fixture(scope="module", params=["flat", "nested"])
def network(request):
    """A network with a known heatmap: two convolutions, global average pooling, one logit; and its convolutions."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    body = [
        layers.Rescaling(1 / 255),
        layers.Conv2D(4, 3, strides=2, activation="relu"),
        layers.Conv2D(6, 3, strides=2, activation="relu"),
    ]
    inputs = keras.Input((SIDE, SIDE, 1))
    x = inputs
    for layer in body:
        x = layer(x)
    convolutions = keras.Model(inputs, x)
    pool = layers.GlobalAveragePooling2D()
    top = layers.Dense(1, activation="sigmoid", bias_initializer=keras.initializers.Constant(0.3))
    if request.param == "flat":
        return keras.Model(inputs, top(pool(x))), convolutions
    backbone = keras.Model(inputs, pool(x))
    outer = keras.Input((SIDE, SIDE, 1))
    return keras.Model(outer, top(layers.Dropout(0.5)(backbone(outer)))), convolutions


def predictor(model):
    return NetworkPredictor(model=model, view=View(SIDE, SIDE, channels=1))


def by_hand(network, images):
    """With global average pooling a channel's weight is the logit's, as in Zhou et al.'s CAM (CVPR 2016)."""
    model, convolutions = network
    weights = model.layers[-1].get_weights()[0][:, 0]
    heat = np.maximum(np.asarray(convolutions(images)) @ weights, 0)
    return heat / heat.max(axis=(1, 2), keepdims=True)


def test_it_follows_the_formula(network, images):
    from pneumobench.training.gradcam import _enlarged

    heat = gradcam(predictor(network[0]), images)
    assert heat.shape == (2, SIDE, SIDE)
    np.testing.assert_allclose(heat, _enlarged(by_hand(network, images), (SIDE, SIDE)), atol=1e-4)


def test_the_network_is_unchanged_and_a_saturated_one_has_a_heatmap_too(network, images):
    model, _ = network
    before = predictor(model).predict(images)
    gradcam(predictor(model), images)
    np.testing.assert_array_equal(predictor(model).predict(images), before)
    weights, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([weights, bias + 200])  # a probability of 1, and a gradient of 0
    try:
        assert predictor(model).predict(images).min() == 1
        assert gradcam(predictor(model), images).max() > 0.5
    finally:
        model.layers[-1].set_weights([weights, bias])


def test_the_heatmap_of_a_mean_of_networks_is_the_mean_of_theirs(network, images):
    alone = gradcam(predictor(network[0]), images)
    np.testing.assert_allclose(gradcam(mean([predictor(network[0])] * 2), images), alone, atol=1e-6)


def test_a_model_without_spatial_layers_is_refused(images):
    import keras
    from keras import layers

    inputs = keras.Input((SIDE, SIDE, 1))
    flat = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Flatten()(inputs)))
    with pytest.raises(UsageError, match="needs a layer with spatial dimensions; this network has none"):
        gradcam(predictor(flat), images)
    with pytest.raises(UsageError, match="is an estimator"):
        gradcam(EstimatorPredictor(model=None, view=View(4, 4, channels=1)), images)
