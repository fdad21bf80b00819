import numpy as np

from pneumobench.data.layouts import phantom
from pneumobench.data.layouts.phantom import Phantom
from pneumobench.data.load import load_folder


def test_the_same_seed_draws_the_same_images(tmp_path):
    few = Phantom(train=(3, 9), test=(2, 3), size=32)
    prints = [load_folder(phantom.ensure(few, tmp_path / name)).fingerprint for name in "ab"]
    other = load_folder(phantom.ensure(Phantom((3, 9), (2, 3), 32, seed=1), tmp_path)).fingerprint
    assert prints[0] == prints[1] != other


def test_it_is_like_the_real_data_in_what_the_split_needs(dataset):
    counts = np.bincount(dataset.labels[dataset.origins == "train"])
    assert counts[1] == 3 * counts[0]
    _, images = np.unique(dataset.patients, return_counts=True)
    assert images.max() > 1, "some patients have several images"
    assert not set(dataset.patients[dataset.origins == "test"]) & set(dataset.patients[dataset.origins != "test"])


def test_a_phantom_that_stands_is_not_drawn_again(tmp_path, monkeypatch):
    few = Phantom(train=(1, 3), test=(1, 1), size=16)
    first = phantom.ensure(few, tmp_path)
    monkeypatch.setattr(phantom, "write", lambda *_: (_ for _ in ()).throw(AssertionError("drawn again")))
    assert phantom.ensure(few, tmp_path) == first


def test_a_phantom_that_lost_an_image_is_drawn_again(tmp_path):
    few = Phantom(train=(1, 3), test=(1, 1), size=16)
    folder = phantom.ensure(few, tmp_path)
    before = load_folder(folder).fingerprint
    next((folder / "train" / "PNEUMONIA").iterdir()).unlink()
    assert load_folder(phantom.ensure(few, tmp_path)).fingerprint == before
