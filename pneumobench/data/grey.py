"""An opened image in grey, 8 bits: what its mode, channels, transparency and orientation mean."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps

from pneumobench.data.depth import channel_bits, depth_of_file, is_scaled_up, is_white_zero, to_grey

EIGHT = "8 bits"


class Grey(NamedTuple):
    """A picture of mode "L", upright, and what decided the range of its grey values, in a few words."""

    picture: Image.Image
    depth: str


def grey(image: Any) -> Grey:
    """A file that Pillow has opened, in grey, turned as its orientation says. Raises: ValueError for another mode."""
    scaled_up, is_deep = is_scaled_up(image), is_wide(image)
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    if is_deep and not image.mode.startswith("I"):
        return _of_channels(image, orientation)
    _load(image)
    ImageOps.exif_transpose(image, in_place=True)  # Pillow turns a TIFF when it loads it
    if is_deep:  # "I;16" and its variants, and the 32-bit "I" that 16-bit PNGs may open as
        pixels = np.asarray(image, np.int64)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise ValueError(f"pixel values from {pixels.min():.0f} to {pixels.max():.0f} are not 16-bit")
        depth = depth_of_file(image, pixels, scaled_up=scaled_up)
        shown = to_grey(pixels, depth.low, depth.high, inverted=is_white_zero(image))
        return Grey(Image.fromarray(shown), str(depth))
    depth_said = image.info.get("depth", EIGHT)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        return Grey(Image.alpha_composite(black, rgba).convert("L"), depth_said)
    if image.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV"):
        return Grey(image.convert("L"), depth_said)
    raise ValueError(f"pixels of mode {image.mode} are not supported (8- or 16-bit grey, RGB, CMYK are)")


def _load(image: Any) -> None:
    """Decode an image from its file, not from a memory map.

    Pillow 13 maps an uncompressed TIFF that is to be turned by 90 degrees with its sides swapped, which scrambles it.
    """
    if not isinstance(image, ImageFile.ImageFile):  # DICOM, decoded already
        return
    name, image.filename = image.filename, ""
    try:
        image.load()
    finally:
        image.filename = name


def is_wide(image: Any) -> bool:
    """Whether an opened image has more than 8 bits, so that its pixels may have to tell what its range is."""
    if image.mode.startswith("I"):
        return True
    return image.format in ("PNG", "TIFF") and image.mode not in ("1", "F") and channel_bits(image) == 16


def _of_channels(image: Any, orientation: int) -> Grey:
    """The luminance of an image of 16 bits a channel, from its file, for Pillow keeps 8 of them."""
    import cv2

    _, pages = cv2.imreadmulti(str(image.filename), start=image.tell(), count=1, flags=cv2.IMREAD_UNCHANGED)
    if not pages or pages[0].dtype != np.uint16:
        raise ValueError("colour of 16 bits that cannot be read")
    pixels = pages[0] if pages[0].ndim == 3 else pages[0][..., None]
    if pixels.shape[2] > 2:
        luminance = pixels[..., :3].astype(np.float64) @ np.array((0.114, 0.587, 0.299))  # blue, green, red: ITU-R 601
    else:
        luminance = pixels[..., 0].astype(np.float64)
    values = np.rint(luminance).astype(np.int64)
    depth = depth_of_file(image, values, scaled_up=False)
    shown = to_grey(values, depth.low, depth.high)
    if pixels.shape[2] in (2, 4):  # what is transparent becomes black
        shown = np.rint(shown * (pixels[..., -1] / 65535)).astype(np.uint8)
    picture = Image.fromarray(shown)
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    return Grey(ImageOps.exif_transpose(picture), str(depth))
