import numpy as np
import pytest

from pneumobench import balanced
from pneumobench.authoring import knobs, registry
from pneumobench.data import split
from pneumobench.errors import PluginError
from pneumobench.training import trainer
from pneumobench.training.predictor import load
from pneumobench.utils.progress import Progress

pytestmark = pytest.mark.slow
SMALL = {"backbone": "MobileNet", "weights": "none", "size": "32"}


@pytest.fixture(scope="module")
def development(dataset):
    return split.split(dataset)[0]


def train(plugin, development, progress=None, **chosen):
    values = knobs.resolve(plugin, SMALL | chosen)
    return trainer.train(plugin, development, values, seed=0, name="probe", progress=progress)


@pytest.mark.parametrize("smote", ["yes", "no"])
def test_the_sampler_acts_in_training_only_and_the_saved_pipeline_is_scikit_learns(development, tmp_path, smote):
    trained = train(registry.load("probe"), development, smote=smote)
    assert [name for name, _ in trained.model.steps] == ["scale", "fit"]
    trained.save(tmp_path, threshold=0.5)
    loaded, _ = load(tmp_path)
    assert type(loaded.model).__module__.startswith("sklearn.")
    part = development.validation
    assert loaded(part) == pytest.approx(trained(part), abs=1e-6)
    images = part.pixels(trained.view)[:3].astype(np.float32)[..., None].repeat(3, axis=-1)
    assert loaded.predict(images) == pytest.approx(trained(part)[:3], abs=1e-4)


def test_a_second_training_does_not_compute_the_features_again(development):
    class Stages(Progress):
        def __init__(self):
            self.names = []

        def stage(self, text):
            self.names.append(text.partition(" of ")[0])

    first, second = Stages(), Stages()
    train(registry.load("probe"), development, progress=first, size="40")
    train(registry.load("probe"), development, progress=second, size="40", C="0.5")
    assert "computing features" in first.names
    assert "computing features" not in second.names


def test_weights_and_a_sampler_exclude_each_other(development):
    from dataclasses import replace

    with pytest.raises(PluginError, match="weighs images and has a sampler in its pipeline"):
        train(replace(registry.load("probe"), weigh=balanced), development)
    weighed = train(replace(registry.load("probe"), weigh=balanced), development, smote="no")
    assert weighed(development.validation).min() >= 0
