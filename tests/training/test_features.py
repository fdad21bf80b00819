import numpy as np
import pytest

from pneumobench import View
from pneumobench.data import decoders, split
from pneumobench.data.folds import divide_into_folds
from pneumobench.data.subset import Part
from pneumobench.training import backend
from pneumobench.training.features import digest, features

pytestmark = pytest.mark.slow
VIEW = View(16, 16, channels=1)


def network(seed=0, width=3):
    keras = backend.keras()
    keras.utils.set_random_seed(seed)
    images = keras.Input(VIEW.shape)
    x = keras.layers.Conv2D(width, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model(images, keras.layers.GlobalAveragePooling2D()(x))


class Counting:
    """A network that counts the images it has seen."""

    def __init__(self, inner):
        self._inner, self.seen = inner, 0

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def predict_on_batch(self, images):
        self.seen += len(images)
        return self._inner.predict_on_batch(images)


@pytest.fixture
def development(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path))
    return split.split(dataset)[0]


def test_they_are_the_networks_outputs_computed_once(development):
    counting = Counting(network())
    computed, seconds = features(counting, development.training, VIEW)
    assert computed.shape == (len(development.training), 3)
    images = development.training.pixels(VIEW)[:4].astype(np.float32)[..., None]
    assert computed[:4] == pytest.approx(counting.predict_on_batch(images), abs=1e-5)
    counting.seen = 0
    assert features(counting, development.validation, VIEW)[1] == seconds > 0
    for fold in divide_into_folds(development, 2):
        features(counting, fold.training, VIEW)
    assert counting.seen == 0


def test_another_decoder_makes_other_features(development, monkeypatch):
    counting = Counting(network())
    features(counting, development.training, VIEW)
    seen = counting.seen
    monkeypatch.setattr(decoders, "VERSION", decoders.VERSION + 1)
    features(counting, development.training, VIEW)
    assert counting.seen == 2 * seen > 0


def test_test_images_are_a_separate_set(dataset, development):
    counting = Counting(network())
    features(counting, development.training, VIEW)
    assert counting.seen == len(np.unique(dataset.hashes[dataset.origins != "test"]))
    counting.seen = 0
    opened = Part(dataset.subset(dataset.origins == "test"))
    assert len(features(counting, opened, VIEW)[0]) == len(opened)
    assert counting.seen == len(np.unique(opened.dataset.hashes))


def test_the_digest_depends_on_weights_and_structure_but_not_on_names():
    assert digest(network(0)) == digest(network(0))
    assert digest(network(0)) != digest(network(1))
    assert digest(network(0)) != digest(network(0, width=4))
