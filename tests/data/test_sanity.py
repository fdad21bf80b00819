import numpy as np
import pytest
from PIL import Image

from pneumobench.data import sanity
from pneumobench.data.pixels import Rows
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


def test_what_no_training_image_is_like_is_told_with_the_range_of_those():
    rng = np.random.default_rng(0)
    pixels = rng.integers(40, 200, (300, 16, 16)).astype(np.uint8)
    pixels[:150] //= 2
    known = sanity.greys(Rows(pixels, np.arange(300)))
    assert known["images"] == [300]
    means = pixels.mean(axis=(1, 2))
    assert known["mean grey"] == [pytest.approx(means.min(), abs=0.06), pytest.approx(means.max(), abs=0.06)]
    assert sanity.unlike(pixels[0], known) == sanity.unlike(pixels[-1], known) == []
    (dark,) = sanity.unlike(pixels[0] // 4, known)[:1]
    assert dark.startswith("its mean grey is 15, that of 300 training images 5")
    assert any("contrast" in reason for reason in sanity.unlike(np.full((16, 16), 100, np.uint8), known))
