"""What hooks return that does not fit is one line with the rule and the value, before or in training."""

from dataclasses import replace

import numpy as np
import pytest

from pneumobench.authoring import registry
from pneumobench.authoring.components import views
from pneumobench.authoring.knobs import resolve
from pneumobench.authoring.recipe import Estimator, Phase
from pneumobench.data import split
from pneumobench.errors import PluginError
from pneumobench.training import trainer


def ending(optimizer):
    """A schedule of one phase with this optimizer."""
    return lambda model: [Phase("a", epochs=1, learning_rate=1.0, optimizer=optimizer)]


RECIPES = {
    "weigh gives a dict": ({"weigh": lambda labels: {0: 1.0, 1: 2.0}}, "`weigh` returns a dict; it must be weights"),
    "weigh gives one too few": ({"weigh": lambda labels: np.ones(3)}, r"of shape \(3,\) for labels"),
    "weigh gives a negative": ({"weigh": lambda labels: -np.ones(len(labels))}, "weights from -1 to -1"),
    "resample gives a mask": ({"resample": lambda labels, seed: labels > 0}, "returns bool of shape"),
    "resample gives None": ({"resample": lambda labels, seed: None}, "`resample` returns None; it must be indices"),
    "resample gives ragged rows": ({"resample": lambda labels, seed: [[1], [2, 3]]}, "`resample` returns a list"),
    "resample gives other rows": ({"resample": lambda labels, seed: np.array([0, 10**6])}, "from 0 to 1000000"),
    "augment gives None": ({"augment": lambda: None}, "`augment` returns None; it must be an albumentations transform"),
    "augment gives a list": ({"augment": lambda: []}, "`augment` returns a list"),
    "augment names classes": ({"augment": lambda: {"NORMAL": None}}, "mapping with the keys NORMAL"),
    "batch_size gives a string": ({"batch_size": lambda: "64"}, "whole number of at least 1, not '64'"),
    "batch_size is a float": ({"batch_size": 0.5}, "not 0.5"),
    "loss has no such name": ({"loss": "crossentropy"}, "such as binary_crossentropy, not 'crossentropy'"),
    "loss gives None": ({"loss": lambda: None}, "not None"),
    "view gives a tuple": ({"view": lambda: (32, 32)}, r"is a View\(height, width\), not \(32, 32\)"),
    "build gives None": ({"build": lambda shape: None}, "`build` of 'x' returns None, not a keras.Model"),
    "schedule gives None": ({"schedule": lambda model: None}, "returns None; it must yield `Phase`s"),
    "schedule gives epochs": ({"schedule": lambda model: [3]}, "yields 3; it must yield `Phase`s"),
    "optimizer has no such name": ({"schedule": ending("adamm")}, "not 'adamm'"),
    "optimizer hook gives a string": (
        {"schedule": ending(lambda rate, steps: "adam")},
        "the optimizer function of phase 'a' returns 'adam'; it must be a Keras optimizer",
    ),
}


class Half:
    """An estimator that knows one class only."""

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.ones(len(X))

    def get_params(self, deep=True):
        return {}

    def set_params(self, **params):
        return self


ESTIMATORS = {
    "build gives None": (lambda: None, "`build` of 'x' returns None without fit and predict_proba"),
    "build gives a class": (lambda: Half, "returns the class Half, to be called"),
    "one probability an image": (Half, r"`predict_proba` returns float64 of shape \(\d+,\) for \d+ images"),
}


@pytest.fixture(scope="module")
def development(dataset):
    return split.split(dataset)[0]


def train(plugin, development):
    knobs = resolve(plugin, {})
    for view in views(plugin, knobs):
        development.training.pixels(view)
    return trainer.train(plugin, development, knobs, seed=0, epochs=1 if plugin.has_epochs else None, name="x")


@pytest.mark.slow
@pytest.mark.parametrize("case", RECIPES)
def test_a_recipe(case, development):
    change, message = RECIPES[case]
    with pytest.raises(PluginError, match=message):
        train(replace(registry.load("tiny"), **({"defaults": {}} | change)), development)


@pytest.mark.parametrize("case", ESTIMATORS)
def test_an_estimator(case, development):
    build, message = ESTIMATORS[case]
    plugin = Estimator(build=(lambda: build()) if build is Half else build)
    with pytest.raises(PluginError, match=message):
        train(plugin, development)(development.validation)
