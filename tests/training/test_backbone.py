import typing

import numpy as np
import pytest

from pneumobench.errors import WeightsError
from pneumobench.training import backend, efficientnet_lite
from pneumobench.training.backbone import Backbone, _scaled, pretrained

pytestmark = pytest.mark.slow
SHAPE = (32, 32, 3)
MODULES = {
    "ConvNeXt": "convnext",
    "DenseNet": "densenet",
    "EfficientNetB": "efficientnet",
    "EfficientNetV2": "efficientnet_v2",
    "InceptionResNetV2": "inception_resnet_v2",
    "InceptionV3": "inception_v3",
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2",
    "MobileNetV3": "mobilenet_v3",
    "NASNet": "nasnet",
    "ResNet": "resnet",
    "ResNetV2": "resnet_v2",
    "VGG": "vgg16",
    "Xception": "xception",
}
APPLICATIONS = [name for name in typing.get_args(Backbone) if name not in efficientnet_lite.SCALES]
ONE_OF_EACH_KIND = ["InceptionV3", "DenseNet121", "MobileNet", "EfficientNetV2B0", "ResNet50"]


def module(name):
    """keras.applications' module of a network: by the longest beginning of its name; ResNets' version is its end."""
    if name.startswith("ResNet"):
        return MODULES["ResNetV2" if name.endswith("V2") else "ResNet"]
    return MODULES[max((kind for kind in MODULES if name.startswith(kind)), key=len)]


def test_every_network_of_keras_applications_can_be_named():
    keras = backend.keras()
    assert set(APPLICATIONS) == {name for name in dir(keras.applications) if name[0].isupper()}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_pixels_are_scaled_as_keras_scales_them(name):
    keras = backend.keras()
    images = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype(np.float32)
    inputs = keras.Input(SHAPE)
    scaled = keras.Model(inputs, _scaled(inputs, name)).predict_on_batch(images)
    expected = getattr(keras.applications, module(name)).preprocess_input(images.copy())
    assert scaled == pytest.approx(np.asarray(expected), abs=1e-4)


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_the_feature_maps_equal_those_of_keras_applications(name, tmp_path):
    keras = backend.keras()
    shape = (75, 75, 3)
    reference = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=shape)
    reference.save_weights(tmp_path / "reference.weights.h5")
    inputs, maps = pretrained(shape, name, str(tmp_path / "reference.weights.h5"))
    images = np.random.default_rng(0).integers(0, 256, (1, *shape)).astype(np.float32)
    scaled = getattr(keras.applications, module(name)).preprocess_input(images.copy())
    outputs = np.asarray(keras.Model(inputs, maps)(images, training=False))
    assert outputs == pytest.approx(np.asarray(reference(scaled, training=False)), rel=1e-3, abs=1e-4)


def test_without_a_network_the_error_names_the_file_to_fetch_and_where_to_put_it(monkeypatch):
    keras = backend.keras()

    def unreachable(**options):
        raise Exception("URL fetch failure on https://weights.example/net_notop.h5: None -- no route")

    monkeypatch.setattr(keras.applications, "MobileNet", unreachable)
    with pytest.raises(WeightsError) as raised:
        pretrained(SHAPE, "MobileNet", "imagenet")
    message = str(raised.value)
    for needed in ("https://weights.example/net_notop.h5,", "~/.keras/models/", "--set weights=FILE"):
        assert needed in message
    assert "\n" not in message


def test_a_file_is_loaded_and_a_wrong_one_refused(tmp_path):
    inputs, maps = pretrained(SHAPE, "MobileNet", "none")
    network = backend.keras().Model(inputs, maps).get_layer("backbone")
    network.save_weights(tmp_path / "right.weights.h5")
    loaded_inputs, loaded_maps = pretrained(SHAPE, "MobileNet", str(tmp_path / "right.weights.h5"))
    loaded = backend.keras().Model(loaded_inputs, loaded_maps).get_layer("backbone")
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), loaded.get_weights(), strict=True))

    (tmp_path / "wrong.weights.h5").write_text("no weights")
    with pytest.raises(WeightsError, match=r"wrong\.weights\.h5 does not hold the weights of MobileNet"):
        pretrained(SHAPE, "MobileNet", str(tmp_path / "wrong.weights.h5"))
    with pytest.raises(WeightsError, match='`weights` is "imagenet", "none" or a weights file'):
        pretrained(SHAPE, "MobileNet", str(tmp_path / "absent.h5"))


def test_one_channel_is_refused():
    with pytest.raises(WeightsError, match="MobileNet takes images of 3 channels, not 1"):
        pretrained((32, 32, 1), "MobileNet", "none")


@pytest.mark.parametrize("name", ["ResNet50", "EfficientNetLite0"])
def test_a_network_of_each_scaling_is_saved_and_loaded_in_safe_mode(name, tmp_path):
    keras = backend.keras()
    inputs, maps = pretrained(SHAPE, name, "none")
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(maps))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    images = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype(np.float32)
    assert np.asarray(loaded(images)) == pytest.approx(np.asarray(model(images)), abs=1e-5)
