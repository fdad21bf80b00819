"""Trials that stand still after their first epoch until a test lets one of them go on."""

import os
import time
from dataclasses import replace
from pathlib import Path

from pneumobench_folder_plugins.tiny import plugin as tiny

from pneumobench import Phase, Study


def schedule(model):
    yield Phase("before", epochs=1, learning_rate=0.01)
    yield Phase("after", epochs=1, learning_rate=0.01, optimizer=once_let)


def once_let(rate, steps):
    """Plain Adam, as soon as this trial has taken one of the files that stand for leave to go on."""
    import keras

    ends = time.monotonic() + 300
    while not taken(Path(os.environ["PNEUMOBENCH_TEST_LEAVE"])) and time.monotonic() < ends:
        time.sleep(0.05)
    return keras.optimizers.Adam(rate)


def taken(folder):
    for file in folder.glob("*"):
        try:
            file.unlink()
            return True
        except FileNotFoundError:  # another trial was quicker
            continue
    return False


def space(trial):
    return {"width": trial.suggest_int("width", 2, 9)}


study = Study(
    plugins={"waiting": replace(tiny, schedule=schedule, defaults={})},
    space=space,
    pruner="none",
)
