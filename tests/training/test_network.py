from dataclasses import replace

import numpy as np
import pytest

from pneumobench import Phase, Recipe, View
from pneumobench.authoring import knobs, registry
from pneumobench.data import split
from pneumobench.errors import PluginError, TrainingError, UsageError
from pneumobench.training import trainer
from pneumobench.training.network import apportion
from pneumobench.utils.progress import Progress

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def development(dataset):
    return split.split(dataset)[0]


def fit(plugin, development, *, seed=0, **options):
    return trainer.train(plugin, development, knobs.resolve(plugin, {}), seed=seed, name="tiny", **options)


@pytest.fixture(scope="module")
def tiny():
    return registry.load("tiny")


def test_epochs_are_shared_in_proportion_with_at_least_one_each():
    assert apportion([3, 5], 8, "x") == [3, 5]
    assert apportion([3, 5], 2, "x") == [1, 1]
    assert apportion([1, 9], 5, "x") == [1, 4]
    assert apportion([2, 2, 2], 10, "x") in ([4, 3, 3], [3, 4, 3], [3, 3, 4])
    with pytest.raises(UsageError, match="--epochs is at least 2, one for each phase of 'x', not 1"):
        apportion([3, 5], 1, "x")


def test_the_same_seed_gives_the_same_model_and_another_seed_another(tiny, development):
    first, again, reseeded = (fit(tiny, development, seed=seed)(development.validation) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, reseeded)


def test_every_epoch_is_reported_with_its_metrics(tiny, development):
    reported, shown = [], []

    class Watcher(Progress):
        def epoch(self, epoch):
            shown.append(epoch)

    fit(tiny, development, epochs=3, on_epoch=reported.append, progress=Watcher())
    assert [(e.number, e.of) for e in reported] == [(1, 3), (2, 3), (3, 3)]
    assert shown == reported
    assert all(0 <= e.val_auroc <= 1 and e.loss > 0 and e.images_per_second > 0 for e in reported)
    assert reported[0].learning_rate == pytest.approx(0.01)


def test_batches_are_asked_for_in_the_order_in_which_they_are_made_ahead(tiny, development, monkeypatch):
    from pneumobench.training.batches import Batches

    asked, original = [], Batches.__getitem__

    def watched(self, index):
        asked.append((self._epoch, index, len(self)))
        return original(self, index)

    monkeypatch.setattr(Batches, "__getitem__", watched)
    fit(tiny, development, epochs=2)
    last, count = asked[-1][0], asked[-1][2]
    assert count > 2
    for epoch in (last - 1, last):
        assert [index for number, index, _ in asked if number == epoch][-count:] == list(range(count))


def test_an_error_raised_by_the_callback_ends_the_training(tiny, development):
    class StopError(Exception):
        pass

    def stop(epoch):
        raise StopError

    with pytest.raises(StopError):
        fit(tiny, development, epochs=50, on_epoch=stop)


def test_code_between_phases_runs_between_them(tiny, development):
    record = []

    def schedule(model, *, learning_rate: float = 0.01):
        record.append("before")
        yield Phase("frozen", epochs=1, learning_rate=learning_rate)
        model.layers[2].trainable = False
        record.append(model.layers[2].get_weights()[0].copy())
        yield Phase("rest", epochs=2, learning_rate=learning_rate)
        record.append(model.layers[2].get_weights()[0].copy())

    phases = []
    fit(replace(tiny, schedule=schedule, defaults={}), development, on_epoch=lambda e: phases.append(e.phase))
    assert phases == ["frozen", "rest", "rest"]
    assert np.array_equal(record[-2], record[-1]), "the layer was frozen for the second phase"


def test_the_best_weights_are_restored(tiny, development):
    scores = []

    def schedule(model):
        yield Phase("train", epochs=6, learning_rate=0.3, restore_best=True)

    plugin = replace(tiny, schedule=schedule, defaults={})
    predictor = fit(plugin, development, on_epoch=lambda e: scores.append(e.val_auroc))
    from sklearn.metrics import roc_auc_score

    auroc = roc_auc_score(development.validation.labels, predictor(development.validation))
    assert auroc == pytest.approx(max(scores))


def test_patience_stops_early(tiny, development):
    def schedule(model):
        yield Phase("train", epochs=40, learning_rate=1e-9, patience=2, monitor="val_auroc")

    reported = []
    fit(replace(tiny, schedule=schedule, defaults={}), development, on_epoch=reported.append)
    assert len(reported) < 40


def test_weights_and_resampling_reach_the_loss(tiny, development):
    def mean_of(**change):
        return fit(replace(tiny, **change), development, epochs=8)(development.validation).mean()

    plain = mean_of()
    assert mean_of(weigh=lambda labels: (labels == 0).astype("float32")) < plain
    assert mean_of(resample=lambda labels, seed: np.flatnonzero(labels == 0)) < plain


def test_a_loss_that_is_not_finite_ends_the_training(development):
    with pytest.raises(TrainingError, match="the training loss became nan in epoch 1"):
        fit(registry.load("diverging"), development)


def test_further_outputs_are_trained_and_removed(tiny, development):
    def build(shape):
        import keras
        from keras import layers

        images = keras.Input(shape)
        x = layers.Flatten()(layers.Rescaling(1 / 255)(images))
        main = layers.Dense(1, activation="sigmoid", name="main")(x)
        return keras.Model(images, [main, layers.Dense(1, activation="sigmoid", name="aux")(x)])

    losses = {"main": "binary_crossentropy", "aux": "binary_crossentropy"}
    plugin = Recipe(build=build, loss=losses, view=View(8, 8), weigh=lambda y: np.ones(len(y), "float32"))
    predictor = fit(plugin, development)
    assert predictor.model.output_shape == (None, 1)


def test_an_output_that_is_not_float32_is_trained_in_float32(development):
    def build(shape):
        import keras
        from keras import layers

        images = keras.Input(shape)
        return keras.Model(images, layers.Dense(1, activation="sigmoid")(layers.Flatten()(images)))

    notes = []

    class Watcher(Progress):
        def note(self, text):
            notes.append(text)

    plugin = Recipe(build=build, view=View(8, 8), defaults={"epochs": 1})
    predictor = fit(plugin, development, precision="bfloat16", progress=Watcher())
    assert predictor.precision == "float32"
    assert 'dtype="float32"' in notes[0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda shape: "model", "returns .model., not a keras.Model"),
        ("wide", r"a first output of shape \(None, 2\); it must be \(None, 1\)"),
    ],
)
def test_a_network_of_another_shape_is_refused(development, build, message):
    def wide(shape):
        import keras
        from keras import layers

        images = keras.Input(shape)
        return keras.Model(images, layers.Dense(2)(layers.Flatten()(images)))

    chosen = wide if build == "wide" else build
    with pytest.raises(PluginError, match=message):
        fit(Recipe(build=chosen, view=View(8, 8)), development)
