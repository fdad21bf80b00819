"""Two phases with early stopping, dropout and noise; as slow as the environment says, so that it can be killed."""

import os
import time

from pneumobench import Phase, Recipe, View


def build(shape, *, width: int = 4):
    import keras
    from keras import layers

    images = keras.Input(shape)
    x = layers.Rescaling(1 / 255)(images)
    x = layers.Conv2D(width, 3, strides=2, activation="relu", name="first")(x)
    x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(images, layers.Dense(1, activation="sigmoid", dtype="float32")(x))


def schedule(model, *, patience: int = 2):
    model.get_layer("first").trainable = False
    yield Phase("frozen", epochs=8, learning_rate=0.02, patience=patience, restore_best=True)
    model.get_layer("first").trainable = True
    yield Phase("all", epochs=4, learning_rate=0.01, patience=4, monitor="val_log_loss", restore_best=True)


class Noise:
    """Adds noise by the seed of the image."""

    def set_random_seed(self, seed):
        self._seed = seed

    def __call__(self, image):
        import numpy as np

        time.sleep(float(os.environ.get("PNEUMOBENCH_TEST_SECONDS", 0)))
        noise = np.random.default_rng(self._seed).integers(0, 20, image.shape)
        return {"image": np.clip(image + noise, 0, 255).astype(np.uint8)}


def augment():
    return Noise()


plugin = Recipe(build=build, schedule=schedule, augment=augment, view=View(16, 16, channels=1), batch_size=16)
