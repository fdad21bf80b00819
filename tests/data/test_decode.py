import numpy as np
import pytest
from PIL import Image

from pneumobench.authoring.recipe import View
from pneumobench.data import decode

VIEW = View(8, 10)


@pytest.fixture
def grey(tmp_path):
    """A smooth grey picture, 40 x 50 (height x width), and its own reading as the standard."""
    pixels = np.tile(np.linspace(0, 255, 50), (40, 1)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "grey.png")
    return pixels, decode.decode(tmp_path / "grey.png", VIEW)


def test_a_view_is_height_by_width(grey):
    _, decoded = grey
    assert decoded.shape == (8, 10)
    assert decoded.dtype == np.uint8
    assert np.all(np.diff(decoded[0].astype(int)) > 0), "the gradient runs along the width"


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "P", "RGBA", "LA"])
def test_other_modes_are_read_as_the_same_grey(grey, mode, tmp_path):
    pixels, expected = grey
    path = tmp_path / ("image.jpeg" if mode == "CMYK" else "image.png")
    Image.fromarray(pixels).convert(mode).save(path, **({"quality": 95} if mode == "CMYK" else {}))
    assert np.abs(decode.decode(path, VIEW).astype(int) - expected).max() <= 3


def test_sixteen_bits_are_scaled_to_eight(grey, tmp_path):
    pixels, expected = grey
    Image.fromarray(pixels.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.abs(decode.decode(tmp_path / "deep.png", VIEW).astype(int) - expected).max() <= 1


def test_what_is_transparent_is_black(tmp_path):
    Image.new("RGBA", (20, 20), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    assert decode.decode(tmp_path / "clear.png", VIEW).max() == 0


def test_a_float_image_is_refused_by_its_mode(tmp_path):
    Image.new("F", (20, 20)).save(tmp_path / "float.tiff")
    with pytest.raises(ValueError, match="mode F"):
        decode.decode(tmp_path / "float.tiff", VIEW)


def test_a_text_file_is_no_image(tmp_path):
    (tmp_path / "note.jpeg").write_text("hello")
    with pytest.raises(ValueError, match="not an image"):
        decode.decode(tmp_path / "note.jpeg", VIEW)


@pytest.mark.parametrize("suffix", ["jpeg", "png"])
def test_a_truncated_image_is_refused(grey, suffix, tmp_path):
    path = tmp_path / f"whole.{suffix}"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (100, 100), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"truncated|broken|incomplete"):
        decode.decode(path, VIEW)


def test_an_absurdly_large_image_is_refused_unread(tmp_path):
    Image.new("1", (14_000, 14_000)).save(tmp_path / "huge.png")
    with pytest.raises(ValueError, match="over the limit of 100,000,000 pixels"):
        decode.decode(tmp_path / "huge.png", VIEW)


def test_three_channels_are_three_equal_ones():
    grey = np.arange(24, dtype=np.uint8).reshape(1, 4, 6)
    batch = decode.as_batch(grey, View(4, 6, channels=3))
    assert batch.shape == (1, 4, 6, 3)
    assert batch.dtype == np.float32
    assert all(np.array_equal(batch[..., channel], grey) for channel in range(3))
