"""A network whose loss becomes nan on every seed but 0, for tests."""

from dataclasses import replace

import numpy as np
from pneumobench_folder_plugins.tiny import plugin as tiny


def resample(labels, seed):
    unlucky["now"] = seed > 0
    return np.arange(len(labels))


def loss():
    from keras import ops

    factor = float("nan") if unlucky["now"] else 1.0
    return lambda truth, said: ops.mean(ops.square(truth - said), axis=-1) * factor


unlucky = {"now": False}
plugin = replace(tiny, loss=loss, resample=resample)
