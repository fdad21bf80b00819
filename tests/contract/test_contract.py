"""Each clause catches what it is for, and names the plugin's line."""

from pathlib import Path

import pytest

from pneumobench import contract

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[1] / "example_plugins"

HEAD = '''"""A plugin that breaks its contract, for tests."""

from dataclasses import replace

import numpy as np

from pneumobench import Recipe, View
from pneumobench_folder_plugins.tiny import build, plugin as tiny

'''
BROKEN = {
    "the docstring says what it is": ("from pneumobench_folder_plugins.tiny import plugin", "no docstring"),
    "the knobs of all hooks agree": (
        'plugin = replace(tiny, defaults={"widht": 3})',
        "did you mean 'width'",
    ),
    "the space stays within the knobs": (
        'plugin = replace(tiny, space=lambda trial: {"width": trial.suggest_float("width", 0.1, 0.9)})',
        "knob 'width' takes a whole number",
    ),
    "resample returns indices, weigh weights": (
        "plugin = replace(tiny, weigh=lambda labels: np.ones(3))",
        "`weigh` returns float64 of shape (3,) for labels (20,)",
    ),
    "augmentation keeps shape, type and range": (
        """class Halved:
    def set_random_seed(self, seed): ...

    def __call__(self, image):
        return {"image": image[::2]}


def augment():
    return Halved()


plugin = replace(tiny, augment=augment)""",
        "becomes (8, 16) uint8",
    ),
    "it builds at its view": (
        """def wide(shape):
    import keras

    images = keras.Input(shape)
    return keras.Model(images, keras.layers.Dense(2)(keras.layers.Flatten()(images)))


plugin = replace(tiny, build=wide)""",
        "first output of shape (None, 2)",
    ),
    "predictions are probabilities, one per image": (
        """def linear(shape):
    import keras

    images = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(images)
    return keras.Model(images, keras.layers.Dense(1, bias_initializer="ones", dtype="float32")(x))


plugin = replace(tiny, build=linear, loss="mean_squared_error")""",
        "probabilities",
    ),
    "a training step changes the weights, all finite": (
        """def frozen(shape, *, width: int = 4):
    model = build(shape, width=width)
    model.trainable = False
    return model


plugin = replace(tiny, build=frozen)""",
        "no weight changed in one training step",
    ),
    "a saved model predicts the same": (
        """def opaque(shape):
    import keras

    images = keras.Input(shape)
    x = keras.layers.Lambda(lambda x: x / 255)(images)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, keras.layers.Dense(1, activation="sigmoid", dtype="float32")(x))


plugin = replace(tiny, build=opaque)""",
        "",
    ),
    "the same seed gives the same result": (
        """def lucky(shape):
    import keras

    start = keras.initializers.Constant(float(np.random.default_rng().normal()))
    images = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model(images, keras.layers.Dense(1, "sigmoid", kernel_initializer=start, dtype="float32")(x))


plugin = replace(tiny, build=lucky)""",
        "two trainings with seed 0 differ",
    ),
}


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights:UserWarning")  # one is to be caught
@pytest.mark.parametrize("rule", BROKEN)
def test_a_clause_catches_what_it_is_for(rule, tmp_path, monkeypatch):
    code, why = BROKEN[rule]
    name = "broken_" + "".join(c if c.isalpha() else "_" for c in rule)
    text = code if "docstring" in rule else HEAD + code
    (tmp_path / f"{name}.py").write_text(text + "\n")
    example = (tmp_path / "tiny.py").resolve()
    example.write_text((EXAMPLES / "tiny.py").read_text())
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    verdicts = {verdict.clause: verdict for verdict in contract.check(name)}
    assert list(verdicts) == [clause.rule for clause in contract.CLAUSES]
    assert verdicts[rule].broken
    assert why in verdicts[rule].why
    assert verdicts[rule].where
    earlier = list(BROKEN)[: list(BROKEN).index(rule)]
    assert not any(verdicts[other].broken for other in earlier), "and no clause before it"


def test_the_plugins_own_line_is_named(tmp_path, monkeypatch):
    (tmp_path / "stumbling.py").write_text(
        '"""Raises while it builds, for tests."""\n\nfrom pneumobench import Recipe\n\n\n'
        'def build(shape):\n    raise RuntimeError("no such thing")\n\n\nplugin = Recipe(build=build)\n'
    )
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    (verdict,) = [v for v in contract.check("stumbling") if v.clause == "it builds at its view"]
    assert (verdict.why, verdict.where) == ("RuntimeError: no such thing", "stumbling.py:7")
