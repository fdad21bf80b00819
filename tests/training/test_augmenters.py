"""Transforms in processes of their own: the same images, and nothing left running."""

import os
import signal

import numpy as np
import psutil
import pytest

from pneumobench.errors import PluginError
from pneumobench.plugins.augmented import augment
from pneumobench.training.augmentation import Augmentation
from pneumobench.training.augmenters import Augmenters

LABELS = np.arange(6) % 2
SEEDS = np.arange(6, dtype=np.uint32)


@pytest.fixture(scope="module")
def pixels():
    rng = np.random.default_rng(0)
    return (rng.random((6, 32, 32)) * 100 + 50).astype(np.uint8)


@pytest.fixture
def start():
    every = []

    def of(transform, count=2):
        every.append(Augmenters(Augmentation(transform), count))
        return every[-1]

    yield of
    for augmenters in every:
        augmenters.close()


def test_their_images_are_those_of_one_process(start, pixels):
    wanted = Augmentation(augment())(pixels, LABELS, SEEDS)
    augmenters = start(augment())
    assert len(augmenters) == 2
    with augmenters.one() as first, augmenters.one() as second:
        assert first is not second
        for one in (first, second, first):
            assert np.array_equal(one(pixels, LABELS, SEEDS), wanted)


def test_their_processes_end_with_them(start, pixels):
    augmenters = start(augment())
    with augmenters.one() as one:
        one(pixels, LABELS, SEEDS)
    processes = [augmenters._process.pid, *(child.pid for child in psutil.Process().children(recursive=True))]
    assert len(processes) >= 3
    augmenters.close()
    assert not [pid for pid in processes if psutil.pid_exists(pid)]


class Own:
    """A type that no other process can import, as tests have no package."""

    def set_random_seed(self, seed):
        self._seed = seed

    def __call__(self, image):
        return {"image": image + np.uint8(self._seed)}


def test_a_transform_that_cannot_be_sent_is_applied_here(start, pixels):
    wanted = Augmentation(Own())(pixels, LABELS, SEEDS)
    for transform in (Own(), Unpicklable()):
        with start(transform).one() as one:
            assert np.array_equal(one(pixels, LABELS, SEEDS), wanted)


class Unpicklable(Own):
    """A transform that holds what cannot be pickled."""

    def __reduce__(self):
        raise TypeError("not I")


def test_what_a_transform_does_wrong_is_said_as_it_is(start, pixels):
    from pneumobench import load_albumentations

    A = load_albumentations()
    with start(A.Compose([A.CenterCrop(8, 8)])).one() as one, pytest.raises(PluginError, match=r"one of \(8, 8\)"):
        one(pixels, LABELS, SEEDS)
    with start(A.Compose([A.CenterCrop(64, 64)])).one() as one, pytest.raises(PluginError, match="CropSizeError"):
        one(pixels, LABELS, SEEDS)


def test_a_process_that_was_killed_is_named(start, pixels):
    augmenters = start(augment())
    with augmenters.one() as one:
        one(pixels, LABELS, SEEDS)
        for child in psutil.Process(augmenters._process.pid).children():
            os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(PluginError, match="a process that runs the transforms of `augment` died"):
            one(pixels, LABELS, SEEDS)
