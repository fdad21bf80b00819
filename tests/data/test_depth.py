"""The same picture in 8, 10, 12, 14 and 16 bits is read as the same picture."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pneumobench.authoring.recipe import View
from pneumobench.data.decode import decode
from pneumobench.data.depth import DEPTHS, depth_of, to_grey

VIEW = View(24, 24, channels=1)
y, x = np.mgrid[0:72, 0:60] / 72
GREY = np.clip(60 + 90 * np.exp(-((x - 0.5) ** 2 + (y - 0.4) ** 2) * 8) + 70 * y, 0, 255).astype(np.uint8)


def of_bits(bits):
    return np.rint(GREY * ((2**bits - 1) / 255)).astype(np.uint16)


def seen(path):
    return decode(path, VIEW).astype(int)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("eight") / "x.png"
    Image.fromarray(GREY).save(path)
    return seen(path)


@pytest.mark.parametrize("bits", DEPTHS[1:])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_fewer_bits_in_sixteen_are_as_bright(tmp_path, expected, bits, suffix):
    Image.fromarray(of_bits(bits)).save(tmp_path / f"x.{suffix}")
    assert np.abs(seen(tmp_path / f"x.{suffix}") - expected).max() <= 1


@pytest.mark.parametrize("bits", DEPTHS[1:])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_colour_of_sixteen_bits_keeps_them(tmp_path, expected, bits, suffix):
    cv2.imwrite(str(tmp_path / f"x.{suffix}"), np.stack([of_bits(bits)] * 3, axis=-1))
    assert np.abs(seen(tmp_path / f"x.{suffix}") - expected).max() <= 1


def test_one_hot_pixel_decides_nothing(tmp_path, expected):
    hot = of_bits(12)
    hot[5, 5] = 65535
    Image.fromarray(hot).save(tmp_path / "x.png")
    assert np.abs(seen(tmp_path / "x.png") - expected).mean() < 1


def test_declared_bits_count_before_what_the_pixels_hold(tmp_path):
    dark = (of_bits(8) // 4).astype(np.uint16)  # a dark image of 12 bits, which would fit into 8
    declared = PngImagePlugin.PngInfo()
    declared.add(b"sBIT", bytes([12]))
    Image.fromarray(dark).save(tmp_path / "said.png", pnginfo=declared)
    Image.fromarray(dark).save(tmp_path / "not.png")
    Image.fromarray(dark).save(tmp_path / "said.tif", tiffinfo={281: 4095})
    assert seen(tmp_path / "said.png").max() <= 255 * 64 // 4095 + 1
    np.testing.assert_array_equal(seen(tmp_path / "said.png"), seen(tmp_path / "said.tif"))
    assert seen(tmp_path / "not.png").max() > 40


def test_a_tiff_whose_zero_is_white_is_inverted(tmp_path, expected):
    Image.fromarray((4095 - of_bits(12)).astype(np.uint16)).save(tmp_path / "x.tif", tiffinfo={262: 0})
    assert np.abs(seen(tmp_path / "x.tif") - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_viewers_turn_upright_is_read_upright(tmp_path, expected, orientation):
    from PIL import ImageOps

    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, 3: Image.Transpose.ROTATE_180}
    back |= {2: Image.Transpose.FLIP_LEFT_RIGHT, 4: Image.Transpose.FLIP_TOP_BOTTOM}
    back |= {5: Image.Transpose.TRANSPOSE, 7: Image.Transpose.TRANSVERSE}
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(GREY)
    turned = picture.transpose(back[orientation]) if orientation in back else picture
    turned.save(tmp_path / "x.png", exif=exif)
    with Image.open(tmp_path / "x.png") as saved:
        np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(saved)), GREY)
    np.testing.assert_array_equal(seen(tmp_path / "x.png"), expected)


@given(bits=st.sampled_from(DEPTHS), seed=st.integers(0, 99))
def test_values_of_a_depth_are_never_stretched_beyond_it(bits, seed):
    values = np.random.default_rng(seed).integers(2 ** (bits - 2), 2**bits // 2 + 1, 400)
    found = depth_of(values, None)
    assert found.low == 0
    assert found.high in [2**depth - 1 for depth in DEPTHS]
    assert found.high >= np.percentile(values, 99.9)
    assert to_grey(values, found.low, found.high).max() <= 255


def test_a_declaration_of_the_whole_container_says_nothing():
    values = np.arange(4096)
    assert depth_of(values, 16).bits == depth_of(values, None).bits == 12
    assert depth_of(values, 14).bits == 14
    assert depth_of(values - 2048, 16, signed=True).low == -2048
