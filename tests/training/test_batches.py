import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data.decode import as_batch
from pneumobench.data.pixels import Rows
from pneumobench.errors import PluginError
from pneumobench.training import backend, feeding
from pneumobench.training.augmentation import Augmentation, seeds_for

pytestmark = pytest.mark.slow  # imports Keras

VIEW = View(4, 4, channels=3)


@pytest.fixture(params=[feeding.RESIDENT, 0], ids=["resident", "read"])
def make(request, monkeypatch):
    from pneumobench.training.batches import Batches

    monkeypatch.setattr(feeding, "RESIDENT", request.param)
    pixels = np.broadcast_to(np.arange(50, dtype=np.uint8)[:, None, None], (50, 4, 4))
    labels = (np.arange(50) % 3 > 0).astype(np.int8)

    def build(**options):
        options = {"batch_size": 16, "seed": 3} | options
        return Batches(Rows(pixels, np.arange(50)), labels, VIEW, **options)

    return build


def seen(batches, index):
    """A batch as the network gets it."""
    fed, *rest = batches[index]
    return np.asarray(fed if backend.name() == "jax" else batches.images(fed)), *rest


def test_an_epoch_holds_every_image_once_with_its_label(make):
    batches = make()
    assert len(batches) == 4
    images, labels = (np.concatenate(parts) for parts in zip(*(seen(batches, i) for i in range(4)), strict=True))
    number = images[:, 0, 0, 0]
    assert sorted(number) == list(range(50))
    assert np.array_equal(labels[:, 0], number % 3 > 0)
    assert (images.shape, images.dtype) == ((50, 4, 4, 3), np.float32)


def test_a_batch_depends_on_seed_epoch_and_index_alone(make):
    first, same, reseeded = make(), make(), make(seed=4)
    for _ in range(3):
        same[0], same[2], same[0]  # Keras fetches batches that it does not use
        assert np.array_equal(seen(first, 1)[0], seen(same, 1)[0])
        assert not np.array_equal(seen(first, 1)[0], seen(reseeded, 1)[0])
        before = seen(first, 1)[0]
        for batches in (first, same, reseeded):
            batches.on_epoch_begin()
        assert not np.array_equal(before, seen(first, 1)[0]), "each epoch is reshuffled"


def test_weights_and_several_outputs_follow_their_images(make):
    weights = np.arange(50, dtype=np.float32) * 2
    images, labels, sample_weights = seen(make(weights=weights, outputs=("main", "aux")), 0)
    assert np.array_equal(sample_weights, images[:, 0, 0, 0] * 2)
    assert np.array_equal(labels["main"], labels["aux"])


class Noise:
    """A transform whose own random generator is seeded."""

    def set_random_seed(self, seed):
        self._random = np.random.default_rng(seed)

    def __call__(self, image):
        return {"image": (image // 2 + self._random.integers(0, 100, image.shape)).astype(np.uint8)}


@pytest.mark.parametrize("count", [1, 3])
def test_augmented_batches_are_the_same_with_any_number_of_augmenters(make, monkeypatch, count):
    monkeypatch.setattr("pneumobench.training.batches._augmenters", lambda: count)
    batches = make(augmentation=Augmentation(Noise()))
    for epoch in (0, 1):
        rows = np.sort(np.random.default_rng((3, epoch)).permutation(50)[16:32])
        clean = np.broadcast_to(rows.astype(np.uint8)[:, None, None], (16, 4, 4))
        wanted = Augmentation(Noise())(clean, rows % 3 > 0, seeds_for(3, epoch, rows))
        assert np.array_equal(seen(batches, 1)[0], as_batch(wanted, VIEW))
        batches.on_epoch_begin()


def test_what_a_transform_does_wrong_in_a_thread_is_said_as_it_is(make):
    class Floats(Noise):
        def __call__(self, image):
            return {"image": image / 255}

    batches = make(augmentation=Augmentation(Floats()))
    with pytest.raises(PluginError, match="float64"):
        batches[3]
    assert isinstance(batches.error, PluginError)


@pytest.mark.parametrize("augmented", [False, True])
def test_losses_are_those_of_images_prepared_on_the_host(make, augmented):
    """The way before pixels were sent as they are kept is the reference here."""
    import keras

    def network():
        keras.utils.set_random_seed(5)
        inputs = keras.Input(VIEW.shape)
        x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(inputs)))
        model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
        model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", jit_compile=backend.name() == "jax")
        return model

    class Losses(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append(float(logs["loss"]))

    weights = np.linspace(0.5, 2, 50, dtype=np.float32)
    batches = make(weights=weights, augmentation=Augmentation(Noise()) if augmented else None)
    ours, model = Losses(), network()
    with batches.feeding(model):
        model.fit(batches, epochs=2, verbose=0, callbacks=[ours])

    class Former(keras.utils.PyDataset):
        """Float32 images in all channels, made by the host."""

        def __init__(self):
            super().__init__(workers=1)
            self.epoch = -1
            self.on_epoch_begin()

        def __len__(self):
            return 4

        def on_epoch_begin(self):
            self.epoch += 1
            self.order = np.random.default_rng((3, self.epoch)).permutation(50)

        def __getitem__(self, index):
            rows = np.sort(self.order[index * 16 : (index + 1) * 16])
            grey, labels = np.broadcast_to(rows.astype(np.uint8)[:, None, None], (len(rows), 4, 4)), rows % 3 > 0
            if augmented:
                grey = Augmentation(Noise())(grey, labels, seeds_for(3, self.epoch, rows))
            return as_batch(grey, VIEW), labels.astype(np.float32)[:, None], weights[rows]

    former = Losses()
    network().fit(Former(), epochs=2, verbose=0, callbacks=[former])
    assert ours.seen == pytest.approx(former.seen, abs=1e-5)
    assert not {"train_step", "_setattr_hook"} & vars(model).keys(), "the model is as it was before"
    assert model.predict_on_batch(np.zeros((2, *VIEW.shape), np.float32)).shape == (2, 1)


def test_images_made_on_the_device_predict_what_images_made_on_the_host_do(monkeypatch):
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input(VIEW.shape)
    network = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
    pixels = np.random.default_rng(0).integers(0, 256, (50, 4, 4), dtype=np.uint8)
    rows = Rows(pixels, np.arange(50)[::-1])
    wanted = network.predict_on_batch(as_batch(rows[:], VIEW))
    for block in (feeding.BLOCK, 20 * 16, 1):  # all at once, and in blocks whose last is not full
        monkeypatch.setattr(feeding, "BLOCK", block)
        got = np.concatenate(list(feeding.outputs(network, rows, VIEW, 8)))
        assert got == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("device", "cores", "named", "count"),
    [("gpu", 16, None, 14), ("gpu", 16, "4", 2), ("gpu", 1, None, 1), ("cpu", 2, None, 1), ("cpu", 16, None, 2)],
)
def test_images_are_augmented_on_the_cores_that_are_left_over(monkeypatch, device, cores, named, count):
    from pneumobench.training import batches

    monkeypatch.setattr(backend, "device", lambda: device)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if named:
        monkeypatch.setenv("OMP_NUM_THREADS", named)
    assert batches._augmenters() == count
