"""Models that need their plugin's code: loaded from its file where they can be, refused before training where not."""

import json
import subprocess
import sys

import pytest

import pneumobench
from pneumobench.authoring import knobs, registry
from pneumobench.contract import fresh
from pneumobench.data import split
from pneumobench.errors import PluginError, PneumobenchError, TrackingError
from pneumobench.training import loadable, predictor, trainer

pytestmark = pytest.mark.slow
HEAD = '''"""A plugin with code of its own, for tests."""

import keras
from keras import layers, ops

from pneumobench import Ensemble, Estimator, Recipe, View


'''
TAIL = """

def build(shape):
    images = keras.Input(shape)
    x = layers.GlobalAveragePooling2D()({what})
    return keras.Model(images, layers.Dense(1, "sigmoid", dtype="float32", **options)(x))


options = {options}
plugin = Recipe(build=build, view=View(8, 8, channels=1), defaults={{"epochs": 1}})
"""
SCALE = """class Scale(layers.Layer):
    def __init__(self, factor=0.01, **other):
        super().__init__(**other)
        self.factor = factor

    def call(self, x):
        return x * self.factor
"""
CONFIG = """
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""
FORGETS = """
    def get_config(self):
        return {"name": self.name}
"""
REGISTERED = '@keras.saving.register_keras_serializable("mine")\n'
ESTIMATOR = """

def build():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return {what}


plugin = Estimator(build=build)
"""


def network(code, what="images", options="{}"):
    return HEAD + code + TAIL.format(what=what, options=options)


LOADED = {
    "registered": network(REGISTERED + SCALE + CONFIG, "Scale(factor=0.02)(images)"),
    "unregistered": network(SCALE + CONFIG, "Scale(factor=0.02)(images)"),
    "nested": network(
        REGISTERED + SCALE + CONFIG + "\n\nclass Outer(layers.Layer):\n"
        "    def __init__(self, inner, **other):\n        super().__init__(**other)\n        self.inner = inner\n\n"
        "    def call(self, x):\n        return self.inner(x)\n\n"
        "    def get_config(self):\n"
        '        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}\n\n'
        "    @classmethod\n    def from_config(cls, config):\n"
        '        inner = keras.saving.deserialize_keras_object(config.pop("inner"))\n'
        "        return cls(inner, **config)\n",
        "Outer(Scale(0.02))(images)",
    ),
    "initializer": network(
        "class Start(keras.initializers.Initializer):\n    def __call__(self, shape, dtype=None):\n"
        "        return ops.ones(shape)\n\n\ndef pull(weights):\n    return ops.sum(ops.square(weights))\n",
        options='{"kernel_initializer": Start(), "kernel_regularizer": pull}',
    ),
    "activation": network("def bent(x):\n    return ops.tanh(x / 100)\n", "layers.Activation(bent)(images)"),
    "named_lambda": network("def halved(x):\n    return x * 0.5\n", "layers.Lambda(halved)(images)"),
    "function": HEAD
    + "def half(X):\n    return X * 0.5\n"
    + ESTIMATOR.format(what="make_pipeline(FunctionTransformer(half), LogisticRegression())"),
    "own_class": HEAD
    + "from sklearn.linear_model import LogisticRegression\n\n\nclass Mine(LogisticRegression):\n    pass\n"
    + ESTIMATOR.format(what="Mine()"),
}
REFUSED = {
    "lambdas": (network("", "layers.Lambda(lambda t: t * 0.5)(images)"), "it holds a lambda"),
    "forgetful": (network(SCALE + FORGETS, "Scale(factor=0.02)(images)"), "once loaded the model predicts"),
    "local": (
        network("", "scale()(images)").replace(
            "def build",
            "def scale():\n    " + (SCALE + CONFIG).replace("\n", "\n    ") + "\n    return Scale()\n\n\ndef build",
        ),
        "defined at the top of the plugin's file",
    ),
    "foreign_function": (
        HEAD
        + "import numpy as np\n"
        + ESTIMATOR.format(what="make_pipeline(FunctionTransformer(np.nan_to_num), LogisticRegression())"),
        "types that are not trusted: numpy.nan_to_num",
    ),
    "lambda_function": (
        HEAD + ESTIMATOR.format(what="make_pipeline(FunctionTransformer(lambda X: X / 2), LogisticRegression())"),
        "could not be loaded again",
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The user's folder, with every plugin above; imports of other tests' files of the same names are forgotten."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name, text in {**LOADED, **{name: text for name, (text, _) in REFUSED.items()}}.items():
        (plugins / f"{name}.py").write_text(text)
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(plugins))
    yield plugins
    for module in [name for name in sys.modules if name.startswith("pneumobench_folder_plugins")]:
        del sys.modules[module]


@pytest.fixture
def saved(folder, dataset, tmp_path):
    """Trains a plugin and saves its model; gives the folder, the model and the images held out."""

    def make(name):
        plugin, entry = registry.load(name), registry.find(name)
        development = split.split(dataset)[0]
        values = knobs.resolve(plugin, {})
        model = trainer.train(plugin, development, values, seed=0, name=name, module=entry.module)
        model.save(tmp_path / "model", threshold=0.5)
        return tmp_path / "model", model, development.validation

    return make


def forget():
    import keras

    for module in [name for name in sys.modules if name.startswith("pneumobench_folder_plugins.")]:
        del sys.modules[module]
    keras.saving.get_custom_objects().clear()


@pytest.mark.parametrize("name", LOADED)
def test_what_a_plugins_file_defines_is_loaded_with_it(name, saved):
    loadable.check(registry.load(name), {}, name, registry.find(name).module)
    place, model, part = saved(name)
    forget()
    loaded, card = predictor.load(place)
    assert loaded(part) == pytest.approx(model(part), abs=1e-5)
    assert loaded.notes == ()
    assert card["plugin_module"] == f"pneumobench_folder_plugins.{name}"


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_be_loaded_is_refused_before_training(name, folder):
    plugin, entry = registry.load(name), registry.find(name)
    with pytest.raises(PluginError, match=f"a trained '{name}' could not be loaded again") as raised:
        loadable.check(plugin, {}, name, entry.module)
    assert REFUSED[name][1] in str(raised.value)


def test_a_run_is_refused_before_anything_is_tracked(folder, store, phantom_folder):
    with pytest.raises(PluginError, match="could not be loaded again"):
        pneumobench.run("lambdas", data=phantom_folder, tracking_uri=store.uri, test=False)
    assert store.finished({}) == []


def test_a_new_process_loads_it_as_predict_does(saved):
    import numpy as np

    place, model, _ = saved("registered")
    images = np.full((2, 8, 8, 1), 99, np.float32)
    assert fresh.probabilities(place, images) == pytest.approx(model.predict(images), abs=1e-5)
    (place / "model.keras").write_bytes(b"")
    with pytest.raises(TrackingError, match="another process cannot load the saved model"):
        fresh.probabilities(place, images)


def test_an_edited_file_is_noted_and_one_that_predicts_otherwise_refused(saved, folder):
    place, _, _ = saved("registered")
    file = folder / "registered.py"
    text = file.read_text()
    forget()
    file.write_text(text + "\nunrelated = 1\n")
    loaded, _ = predictor.load(place)
    assert "has changed since this model was saved; it predicts the same" in loaded.notes[0]
    forget()
    file.write_text(text.replace("x * self.factor", "x * self.factor * 100 - 3"))
    with pytest.raises(TrackingError, match="has changed since this model was saved, and the model now predicts"):
        predictor.load(place)


def test_a_file_that_is_gone_is_named_with_where_it_was(saved, folder):
    place, _, _ = saved("registered")
    forget()
    (folder / "registered.py").rename(folder / "_elsewhere.py")
    with pytest.raises(
        PneumobenchError, match=r"needs mine>Scale of its plugin's file registered.py.*PNEUMOBENCH_PLUG"
    ):
        predictor.load(place)


def test_a_network_of_keras_own_layers_needs_no_plugin(saved, folder):
    (folder / "plain.py").write_text(network("", "images"))
    place, model, part = saved("plain")
    forget()
    (folder / "plain.py").unlink()
    assert predictor.load(place)[0](part) == pytest.approx(model(part), abs=1e-6)


def test_two_plugins_with_different_layers_of_one_name_each_get_their_own(saved, folder, dataset, tmp_path):
    (folder / "other.py").write_text(LOADED["registered"].replace("x * self.factor", "1 - x * self.factor"))
    (folder / "both.py").write_text(
        '"""Both."""\nfrom pneumobench import Ensemble\nplugin = Ensemble("registered", "other")\n'
    )
    place, model, part = saved("both")
    assert predictor.load(place)[0](part) == pytest.approx(model(part), abs=1e-5)
    forget()
    assert predictor.load(place)[0](part) == pytest.approx(model(part), abs=1e-5)


def test_a_pickle_in_the_estimators_place_is_refused_though_its_plugin_is_known(saved):
    import pickle

    place, _, _ = saved("own_class")
    (place / "model.skops").write_bytes(pickle.dumps({"run": subprocess.Popen}))
    with pytest.raises(TrackingError, match="is not an estimator that skops saved"):
        predictor.load(place)
    card = json.loads((place / "predictor.json").read_text())
    assert card["plugin_file"].endswith("own_class.py")
