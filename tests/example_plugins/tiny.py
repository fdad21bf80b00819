"""A network that trains in a blink, for tests."""

from pneumobench import Recipe, View


def build(shape, *, width: int = 4):
    import keras
    from keras import layers

    images = keras.Input(shape)
    x = layers.Rescaling(1 / 255)(images)
    x = layers.Conv2D(width, 3, strides=2, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, layers.Dense(1, activation="sigmoid", dtype="float32")(x))


plugin = Recipe(
    build=build, view=View(16, 16, channels=1), defaults={"epochs": 2, "learning_rate": 0.01}, batch_size=16
)
