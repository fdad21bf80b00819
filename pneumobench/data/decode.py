"""One image file -> one grey uint8 array; what differs between formats is handled here."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pneumobench.authoring.recipe import View
from pneumobench.data import dicom
from pneumobench.data.dicom import MAX_PIXELS, too_large
from pneumobench.data.grey import EIGHT, grey, is_wide

RESAMPLING = Image.Resampling.BILINEAR  # antialiased in Pillow: the filter widens with the reduction
DRAFT = 64  # pixels a side that a JPEG is decoded at at least: reduced to fewer it differs by 2 grey values of 255
REDUCED, NOT_PICTURE = 254, 0b101  # TIFF 6.0, NewSubfileType: a reduced image of another page, a mask
ZEROS = 64  # at the end of a file; no compressed picture holds so many


def decode(path: Path, view: View) -> np.ndarray:
    """The image at a view's size: (height, width) uint8, grey, stretched to fit as the published pipeline did.

    It is turned as its EXIF orientation says, which is how viewers show it. Grey values of more than 8 bits are scaled
    by their depth (see `depth.depth_of`), CMYK and RGB become luminance (ITU-R 601), and what is transparent becomes
    black, the colour of an X-ray's border. DICOM: see `dicom.read`.

    Raises: ValueError with a reason in a few words: truncated, not an image, too large, an unknown mode;
    OSError where the system cannot read the file.
    """
    whole = read(path, (2 * view.width, 2 * view.height)).grey  # twice the size, for the resampling
    return np.asarray(whole.resize((view.width, view.height), RESAMPLING), np.uint8)


def thumbnail(path: Path, side: int) -> Image.Image:
    """The image in grey (mode "L"), unstretched, its longer side at most so many pixels. Raises: as `decode`."""
    picture = read(path, (side, side)).grey
    picture.thumbnail((side, side), RESAMPLING)
    return picture


def uri(picture: Image.Image) -> str:
    """A picture as an address that holds it, for a page that needs no network."""
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def opened(path: Path) -> Image.Image:
    """A file as Pillow opens it, lazily, at its first page that is no thumbnail; DICOM's first frame, decoded.

    `info["frames"]` is the number of its pages or frames. Raises: as `decode`.
    """
    if dicom.is_dicom(path):
        return dicom.read(path)
    image = Image.open(path)
    try:
        if image.format in ("JPEG", "MPO"):
            _check_end(path)
        _to_first_page(image)
    except BaseException:
        image.close()
        raise
    return image


@dataclass(frozen=True)
class Head:
    """An image file's mode, size (width, height), what decided the range of its grey values, and its pages or frames.

    The depth is in words, such as "12 bits declared".
    """

    mode: str
    size: tuple[int, int]
    depth: str
    frames: int


@dataclass(frozen=True)
class Read(Head):
    """The same, and the image in grey (mode "L")."""

    grey: Image.Image


def head(path: Path) -> Head:
    """What a file says of itself; nothing is decoded where 8 bits are all that there is. Raises: as `decode`."""
    with reading(), opened(path) as image:
        is_known = "depth" in image.info or not is_wide(image)
        if is_known:
            return Head(image.mode, image.size, image.info.get("depth", EIGHT), image.info["frames"])
    return read(path, (1, 1))


def read(path: Path, size: tuple[int, int]) -> Read:
    """A file, its picture at its own size or, of a JPEG, at the next one above `size` (width, height).

    Raises: as `decode`.
    """
    with reading(), opened(path) as image:
        mode, (width, height), frames = image.mode, image.size, image.info["frames"]
        too_large(width, height)
        image.draft("L", (max(size[0], DRAFT), max(size[1], DRAFT)))  # JPEG can be decoded at 1/2, 1/4 or 1/8
        picture, depth = grey(image)
        return Read(mode, (width, height), depth, frames, picture)


@contextmanager
def reading() -> Iterator[None]:
    """A block that reads an image: faults of the file become a ValueError in a few words; libraries do not warn."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except Image.DecompressionBombError:
        raise ValueError(f"over the limit of {MAX_PIXELS:,} pixels") from None
    except Image.UnidentifiedImageError:
        raise ValueError("not an image") from None
    except (OSError, SyntaxError, EOFError) as error:  # Pillow's decoders raise all three
        if getattr(error, "errno", None) is not None:
            raise  # the system failed, not the image
        raise ValueError((str(error) or type(error).__name__).partition("\n")[0]) from None


def _to_first_page(image: Image.Image) -> None:
    """Go to the first page of a TIFF that is neither a thumbnail nor a mask, and count the pages."""
    pages = int(getattr(image, "n_frames", 1))
    if image.format == "TIFF" and pages > 1:
        whole = []
        for page in range(pages):
            image.seek(page)
            if not int(image.tag_v2.get(REDUCED, 0)) & NOT_PICTURE:  # type: ignore[attr-defined]
                whole.append(page)
        image.seek(whole[0] if whole else 0)
        pages = len(whole) or pages
    image.info["frames"] = pages


def _check_end(path: Path) -> None:
    """Raises: ValueError for a JPEG that ends in zeros, as a download does that was not finished.

    Its decoder takes them for data, and shows a grey bottom without a word.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - ZEROS))
        if file.read().strip(b"\0"):
            return
        file.seek(0)
        content = file.read()
    if content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda"):  # no end after the last scan's start
        raise ValueError("truncated: it ends in zeros")


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
