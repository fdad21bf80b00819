"""A network that can be told to learn the opposite, for tests of pruning."""

from dataclasses import replace

from pneumobench_folder_plugins.tiny import plugin as tiny


def loss(*, contrary: bool = False):
    import keras

    return lambda truth, said: keras.losses.binary_crossentropy(1 - truth if contrary else truth, said)


plugin = replace(tiny, loss=loss, defaults={"learning_rate": 0.1})
