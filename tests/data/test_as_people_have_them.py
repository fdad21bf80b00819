"""Files as people have them: the same picture is read as the same picture, and what cannot be is refused in words."""

import io
import os
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from pneumobench.authoring.recipe import View
from pneumobench.data import decode, listing
from pneumobench.data.sanity import oddities

VIEW = View(24, 24, channels=1)
y, x = np.mgrid[0:96, 0:80] / 96
GREY = np.clip(60 + 90 * np.exp(-((x - 0.5) ** 2 + (y - 0.4) ** 2) * 8) + 70 * y, 0, 255).astype(np.uint8)
TWELVE = np.rint(GREY * (4095 / 255)).astype(np.uint16)
DARK = (TWELVE // 8).astype(np.uint16)  # of 12 bits too, and so dark that 10 bits would hold it
PICTURE = Image.fromarray(GREY)


def seen(path):
    return decode.decode(path, VIEW).astype(int)


def expected(grey=GREY):
    return np.asarray(Image.fromarray(grey).resize((24, 24), decode.RESAMPLING)).astype(int)


def dark():
    return expected(np.rint(DARK * (255 / 4095)).astype(np.uint8))


def alike(path, standard, most=1):
    assert np.abs(seen(path) - standard).max() <= most


# --- declared bits, wherever a format keeps them


def packed_tiff(path, values, photometric=1):
    """An uncompressed TIFF of 12 bits a sample, two samples in three bytes."""
    height, width = values.shape
    v = values.reshape(-1, 2).astype(np.uint32)
    data = np.stack([v[:, 0] >> 4, (v[:, 0] & 15) << 4 | v[:, 1] >> 8, v[:, 1] & 255], 1).astype(np.uint8).tobytes()
    tags = [(256, 3, width), (257, 3, height), (258, 3, 12), (259, 3, 1), (262, 3, photometric), (273, 4, 8)]
    tags += [(277, 3, 1), (278, 3, height), (279, 4, len(data))]
    entries = b"".join(
        struct.pack("<HHI", tag, kind, 1) + struct.pack("<I" if kind == 4 else "<HH", *([v] if kind == 4 else [v, 0]))
        for tag, kind, v in tags
    )
    ifd = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + ifd)
    return path


def test_a_tiff_of_twelve_packed_bits_declares_them(tmp_path):
    alike(packed_tiff(tmp_path / "x.tif", TWELVE), expected())
    alike(packed_tiff(tmp_path / "dark.tif", DARK), dark())


@pytest.mark.parametrize("plain", [False, True])
def test_a_grey_maps_largest_value_is_white(tmp_path, plain):
    head = b"P%d 80 96 4095\n" % (2 if plain else 5)
    body = " ".join(map(str, DARK.ravel())).encode() if plain else DARK.astype(">u2").tobytes()
    (tmp_path / "x.pgm").write_bytes(head + body)
    alike(tmp_path / "x.pgm", dark())


def test_a_grey_map_that_declares_sixteen_bits_and_holds_twelve(tmp_path):
    (tmp_path / "x.pgm").write_bytes(b"P5 80 96 65535\n" + TWELVE.astype(">u2").tobytes())
    alike(tmp_path / "x.pgm", expected())


def test_jpeg_2000_of_twelve_bits(tmp_path):
    Image.fromarray(TWELVE).save(tmp_path / "x.jp2")  # as Pillow writes it: 16 bits, which say nothing
    alike(tmp_path / "x.jp2", expected(), 2)


def test_jpeg_2000_says_how_many_bits_it_has(tmp_path):
    from pneumobench.data.depth import is_scaled_up

    Image.fromarray(TWELVE).save(tmp_path / "x.jp2")
    content = bytearray((tmp_path / "x.jp2").read_bytes())
    content[content.find(b"\xff\x4f\xff\x51") + 42] = 11  # Ssiz: 12 bits
    (tmp_path / "y.jp2").write_bytes(content)
    for name, answer in (("x", False), ("y", True)):
        with Image.open(tmp_path / f"{name}.jp2") as image:
            assert is_scaled_up(image) is answer


def test_significant_bits_that_a_png_scaled_up_as_its_standard_demands(tmp_path):
    declared = PngImagePlugin.PngInfo()
    declared.add(b"sBIT", bytes([12]))
    Image.fromarray((TWELVE << 4 | TWELVE >> 8).astype(np.uint16)).save(tmp_path / "x.png", pnginfo=declared)
    Image.fromarray((DARK << 4 | DARK >> 8).astype(np.uint16)).save(tmp_path / "dark.png", pnginfo=declared)
    alike(tmp_path / "x.png", expected())
    alike(tmp_path / "dark.png", dark())


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_fewer_than_eight_bits(tmp_path, bits):
    few = GREY >> (8 - bits)
    levels = np.rint(few * (255 / (2**bits - 1))).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "x.png"), levels, [cv2.IMWRITE_PNG_BILEVEL, 1] if bits == 1 else [])
    if bits > 1:
        Image.fromarray(few).save(tmp_path / "x.png")
        Image.fromarray(levels).save(tmp_path / "x.png")
    alike(tmp_path / "x.png", expected(levels))


@pytest.mark.parametrize("white_is_zero", [True, False])
def test_a_tiff_of_one_bit(tmp_path, white_is_zero):
    black = Image.fromarray(GREY > 128)
    black.save(tmp_path / "x.tif", tiffinfo={262: 0 if white_is_zero else 1})
    with Image.open(tmp_path / "x.tif") as image:
        assert image.tag_v2[262] == (0 if white_is_zero else 1)
        standard = np.asarray(image.convert("L"))
    alike(tmp_path / "x.tif", expected(standard))


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}])
def test_big_endian_and_compressed_tiff(tmp_path, options):
    Image.fromarray(TWELVE.astype(">u2")).save(tmp_path / "x.tif", **options)
    alike(tmp_path / "x.tif", expected())


# --- orientation, palettes, alpha, profiles


def turned(path, picture, **options):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_orientation_counts_in_eight_bits(tmp_path, suffix):
    options = {"png": {}, "tif": {}, "webp": {"lossless": True}, "jpg": {"quality": 98}}[suffix]
    alike(turned(tmp_path / f"x.{suffix}", PICTURE, **options), expected(), 2)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_orientation_counts_in_sixteen_bits(tmp_path, suffix):
    alike(turned(tmp_path / f"x.{suffix}", Image.fromarray(TWELVE)), expected())


def test_orientation_counts_in_colour_of_sixteen_bits(tmp_path):
    rotated = np.ascontiguousarray(np.rot90(TWELVE))
    ok, data = cv2.imencode(".png", np.stack([rotated] * 3, -1))
    assert ok
    exif = Image.Exif()
    exif[0x0112] = 6
    content = exif.tobytes()[6:]
    import zlib

    chunk = struct.pack(">I", len(content)) + b"eXIf" + content + struct.pack(">I", zlib.crc32(b"eXIf" + content))
    whole = data.tobytes()
    (tmp_path / "x.png").write_bytes(whole[:33] + chunk + whole[33:])  # after the signature and IHDR
    alike(tmp_path / "x.png", expected())


def test_a_palette_and_an_alpha_channel(tmp_path):
    swapped = Image.fromarray(255 - GREY, "P")
    swapped.putpalette([255 - i // 3 for i in range(768)])
    swapped.save(tmp_path / "palette.png")
    alike(tmp_path / "palette.png", expected())
    Image.merge("LA", (PICTURE, Image.new("L", PICTURE.size, 255))).save(tmp_path / "la.png")
    alike(tmp_path / "la.png", expected())
    ok, data = cv2.imencode(".png", np.dstack([TWELVE * 16] * 3 + [np.full_like(TWELVE, 65535)]))
    assert ok
    (tmp_path / "deep.png").write_bytes(data.tobytes())
    alike(tmp_path / "deep.png", expected())


def test_a_colour_profile_changes_nothing(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    PICTURE.save(tmp_path / "plain.jpg", quality=95)
    PICTURE.save(tmp_path / "said.jpg", quality=95, icc_profile=profile)
    np.testing.assert_array_equal(seen(tmp_path / "plain.jpg"), seen(tmp_path / "said.jpg"))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_values_of_an_unknown_range_are_refused(tmp_path, dtype):
    Image.fromarray((GREY.astype(dtype) - 100) * 1000).save(tmp_path / "x.tif")
    with pytest.raises(ValueError, match=r"mode F|are not 16-bit"):
        seen(tmp_path / "x.tif")


# --- pages and frames


@pytest.mark.parametrize("suffix", ["tif", "gif", "png", "webp"])
def test_of_several_pages_the_first_is_read_and_that_is_said(tmp_path, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    black = Image.new("L", PICTURE.size)
    PICTURE.save(tmp_path / f"x.{suffix}", save_all=True, append_images=[black, PICTURE], **options)
    alike(tmp_path / f"x.{suffix}", expected(), 2)
    assert "it holds 3 pages or frames, of which one is read" in oddities(tmp_path / f"x.{suffix}")
    assert decode.head(tmp_path / f"x.{suffix}").frames == 3
    PICTURE.save(tmp_path / f"y.{suffix}", **options)
    assert oddities(tmp_path / f"y.{suffix}") == []


@pytest.mark.parametrize("values", [GREY, TWELVE])
def test_a_tiffs_thumbnail_is_no_page(tmp_path, values):
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as writer:
        Image.new("L", (20, 24)).save(writer, "TIFF", tiffinfo={254: 1})
        writer.newFrame()
        Image.fromarray(values).save(writer, "TIFF")
        writer.newFrame()
    (tmp_path / "x.tif").write_bytes(file.getvalue())
    alike(tmp_path / "x.tif", expected())
    assert decode.head(tmp_path / "x.tif").frames == 1


# --- damage


def noisy():
    """A picture whose JPEG is large, so that much of it can be cut off."""
    return Image.fromarray(np.clip(GREY + np.random.default_rng(0).normal(0, 20, GREY.shape), 0, 255).astype(np.uint8))


def test_a_jpeg_that_ends_in_zeros_is_refused(tmp_path):
    noisy().save(tmp_path / "x.jpg", quality=90)
    whole = (tmp_path / "x.jpg").read_bytes()
    (tmp_path / "x.jpg").write_bytes(whole + bytes(500))  # padded after its end: nothing is missing
    assert seen(tmp_path / "x.jpg").mean() > 60
    half = len(whole) // 2
    (tmp_path / "x.jpg").write_bytes(whole[:half] + bytes(len(whole) - half))
    with pytest.raises(ValueError, match="truncated: it ends in zeros"):
        seen(tmp_path / "x.jpg")


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_jpeg_whose_middle_is_missing_has_a_grey_bottom_and_that_is_said(tmp_path, share):
    noisy().resize((320, 384)).save(tmp_path / "x.jpg", quality=90)
    assert oddities(tmp_path / "x.jpg") == []
    whole = (tmp_path / "x.jpg").read_bytes()
    (tmp_path / "x.jpg").write_bytes(whole[: int(len(whole) * share)] + b"\xff\xd9")
    assert any("as where a file was cut off" in reason for reason in oddities(tmp_path / "x.jpg"))


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.tif", "x.bmp", "x.gif", "x.webp", "x.pgm", "x.jp2"])
def test_half_a_file_and_an_empty_one_are_refused(tmp_path, name):
    noisy().save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for content in (whole[: len(whole) // 2], whole[:20], b""):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=r"."):
            seen(tmp_path / name)


# --- folders


def test_a_link_back_is_not_followed_and_another_is(tmp_path):
    PICTURE.save(tmp_path / "a.png")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "up").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert list(listing.images(tmp_path)) == ["a.png"]
    PICTURE.save(tmp_path / "below" / "b.png")
    (tmp_path / "beside").symlink_to(tmp_path / "below")
    assert list(listing.images(tmp_path)) == ["a.png", "below/b.png", "beside/b.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_no_image_and_a_broken_link_is_an_unreadable_one(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert list(listing.images(tmp_path)) == ["gone.png"]


@pytest.mark.parametrize(
    "name",
    [
        *("._x.jpeg", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r", "DICOMDIR", "~$x.jpeg"),
        *("x.jpeg:Zone.Identifier", "__MACOSX/x.jpeg", ".ipynb_checkpoints/x-checkpoint.jpeg"),
        *("System Volume Information/x.jpeg", "lost+found/x.jpeg"),
    ],
)
def test_what_no_person_put_there_is_neither_read_nor_spoken_of(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    PICTURE.save(tmp_path / name, format="JPEG")
    assert list(listing.files(tmp_path)) == []
