import numpy as np
import pytest
from PIL import Image

from pneumobench.data.sanity import oddities


def picture(tmp_path, pixels, name="one.png"):
    path = tmp_path / name
    Image.fromarray(pixels).save(path)
    return path


GREY = np.tile(np.linspace(0, 255, 256).astype(np.uint8), (200, 1))


def test_a_grey_picture_is_nothing_odd_however_it_is_stored(tmp_path, phantom_folder):
    assert oddities(picture(tmp_path, GREY)) == []
    assert oddities(picture(tmp_path, np.stack([GREY] * 3, axis=2))) == []
    assert oddities(picture(tmp_path, np.stack([GREY] * 3, axis=2), "one.jpg")) == []
    assert oddities(picture(tmp_path, GREY.astype(np.uint16) * 257)) == []


@pytest.mark.parametrize(
    ("pixels", "told"),
    [
        (np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8), "in colour"),
        (np.full((200, 200), 90, np.uint8), "almost one grey"),
        (GREY[:40], "pixels small"),
        (GREY[:80], "its shape is 256 x 80"),
    ],
)
def test_what_is_unlike_an_x_ray_is_said(pixels, told, tmp_path):
    if pixels.ndim == 3:  # large patches, that survive the reduction
        pixels = np.kron(pixels[:8, :8], np.ones((30, 30, 1), np.uint8))
    assert any(told in text for text in oddities(picture(tmp_path, pixels)))
