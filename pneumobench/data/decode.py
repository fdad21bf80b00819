"""One image file -> one grey uint8 array; what differs between formats is handled here."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pneumobench.authoring.recipe import View
from pneumobench.data import dicom
from pneumobench.data.depth import channel_bits, declared_bits, depth_of, is_white_zero, to_grey

MAX_PIXELS = 100_000_000  # a detector of 43 x 43 cm at 0.1 mm has 18.5 million
RESAMPLING = Image.Resampling.BILINEAR  # antialiased in Pillow: the filter widens with the reduction

# Part of every cache's key: raise it when the pixels that `decode` returns change.
VERSION = 2


def decode(path: Path, view: View) -> np.ndarray:
    """The image at a view's size: (height, width) uint8, grey, stretched to fit as the published pipeline did.

    It is turned as its EXIF orientation says, which is how viewers show it. Grey values of more than 8 bits are scaled
    by their depth (see `depth.depth_of`), CMYK and RGB become luminance (ITU-R 601), and what is transparent becomes
    black, the colour of an X-ray's border. DICOM: see `dicom.read`.

    Raises: ValueError with a reason in a few words: truncated, not an image, too large, an unknown mode;
    OSError where the system cannot read the file.
    """
    grey = read(path, (2 * view.width, 2 * view.height)).grey  # twice the size, for the resampling
    return np.asarray(grey.resize((view.width, view.height), RESAMPLING), np.uint8)


def thumbnail(path: Path, side: int) -> Image.Image:
    """The image in grey (mode "L"), unstretched, its longer side at most so many pixels. Raises: as `decode`."""
    grey = read(path, (side, side)).grey
    grey.thumbnail((side, side), RESAMPLING)
    return grey


def uri(picture: Image.Image) -> str:
    """A picture as an address that holds it, for a page that needs no network."""
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def opened(path: Path) -> Image.Image:
    """A file as Pillow opens it, lazily; DICOM as its first frame in grey. Raises: as `decode`."""
    return dicom.read(path) if dicom.is_dicom(path) else Image.open(path)


@dataclass(frozen=True)
class Read:
    """An image in grey (mode "L"), and the mode and size (width, height) of its file."""

    grey: Image.Image
    mode: str
    size: tuple[int, int]


def read(path: Path, size: tuple[int, int]) -> Read:
    """A file, its picture at its own size or, of a JPEG, at the next one above `size` (width, height).

    Raises: as `decode`.
    """
    try:
        with opened(path) as image:
            mode, (width, height) = image.mode, image.size
            if width * height > MAX_PIXELS:
                raise ValueError(f"{width} x {height} is over the limit of {MAX_PIXELS:,} pixels")
            image.draft("L", size)  # JPEG can be decoded at 1/2, 1/4 or 1/8
            return Read(ImageOps.exif_transpose(_grey(image)), mode, (width, height))
    except Image.DecompressionBombError:
        raise ValueError(f"over the limit of {MAX_PIXELS:,} pixels") from None
    except Image.UnidentifiedImageError:
        raise ValueError("not an image") from None
    except (OSError, SyntaxError, EOFError) as error:  # Pillow's decoders raise all three
        if getattr(error, "errno", None) is not None:
            raise  # the system failed, not the image
        raise ValueError((str(error) or type(error).__name__).partition("\n")[0]) from None


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # "I;16" and its variants, and the 32-bit "I" that 16-bit PNGs may open as
        pixels = np.asarray(image, np.int64)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise ValueError(f"pixel values from {pixels.min():.0f} to {pixels.max():.0f} are not 16-bit")
        scale = depth_of(pixels, declared_bits(image))
        return Image.fromarray(to_grey(pixels, scale.low, scale.high, inverted=is_white_zero(image)))
    if image.format in ("PNG", "TIFF") and image.mode != "1" and channel_bits(image) == 16:
        return _wide(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, rgba).convert("L")
    if image.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV"):
        return image.convert("L")
    raise ValueError(f"pixels of mode {image.mode} are not supported (8- or 16-bit grey, RGB, CMYK are)")


def _wide(image: Image.Image) -> Image.Image:
    """The luminance of an image of 16 bits a channel, from its file, for Pillow keeps 8 of them."""
    import cv2

    pixels = cv2.imread(str(image.filename), cv2.IMREAD_UNCHANGED)  # type: ignore[attr-defined]
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("colour of 16 bits that cannot be read")
    colours = pixels[..., :3].astype(np.float64) if pixels.ndim == 3 and pixels.shape[2] > 2 else pixels[..., :1]
    weights = (0.114, 0.587, 0.299) if colours.shape[-1] == 3 else (1.0,)  # blue, green, red: ITU-R 601
    grey = np.rint(colours @ np.array(weights)).astype(np.int64)
    scale = depth_of(grey, declared_bits(image))
    shown = to_grey(grey, scale.low, scale.high)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):  # what is transparent becomes black
        shown = np.rint(shown * (pixels[..., -1] / 65535)).astype(np.uint8)
    return Image.fromarray(shown)


def as_batch(grey: np.ndarray, view: View) -> np.ndarray:
    """(n, height, width) grey, uint8 or float, as a model takes it: (n, height, width, channels) float32."""
    batch = np.empty((*grey.shape, view.channels), np.float32)
    batch[...] = grey[..., None]
    return batch


def resized(images: np.ndarray, view: View) -> np.ndarray:
    """Images (n, height, width, channels), 0 to 255, at another view's size and channels, float32."""
    if images.shape[1:] == view.shape:
        return images
    grey = [Image.fromarray(image[..., 0].astype(np.float32)) for image in images]
    if images.shape[1:3] != view.shape[:2]:
        grey = [image.resize((view.width, view.height), RESAMPLING) for image in grey]
    return as_batch(np.stack([np.asarray(image) for image in grey]), view)
