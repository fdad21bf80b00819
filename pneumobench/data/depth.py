"""How many bits a grey value has: what a file declares, else what its pixels hold; one rule for PNG, TIFF and DICOM."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

DECLARED, MEASURED = "declared", "by the 99.9th percentile"
DEPTHS = (8, 10, 12, 14, 16)  # of detectors, and of the files that they are stored in
PERCENTILES = (0.1, 99.9)  # so that one hot pixel, or one dead one, decides nothing
HEADER = 2**16  # bytes among which a JPEG 2000 codestream begins
SIZ = b"\xff\x4f\xff\x51"  # its first markers
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SAMPLE_VALUE, BITS_PER_SAMPLE, PHOTOMETRIC, WHITE_IS_ZERO = 281, 258, 262, 0  # TIFF 6.0


@dataclass(frozen=True)
class Depth:
    """Grey values from `low` (black) to `high` (white), and what decided it: DECLARED or MEASURED."""

    low: float
    high: float
    source: str

    @property
    def bits(self) -> int:
        """Bits of the range."""
        return int(np.ceil(np.log2(self.high - self.low + 1)))

    def __str__(self) -> str:
        return f"{self.bits} bits {self.source}"


def depth_of(pixels: np.ndarray, declared: int | None, container: int = 16, *, signed: bool = False) -> Depth:
    """The range of grey values of whole numbers (any shape), stored in `container` bits.

    A declaration of fewer bits than the container has counts; one of all of them says nothing, as writers put 10, 12
    or 14 bits into 16 and call them 16; and one that the pixels contradict is none. Then it is the smallest of 8, 10,
    12, 14 and 16 bits that holds the 0.1th and the 99.9th percentile; of a container of up to 8 bits, all of it. The
    image's own extremes are never stretched to black and white. `signed` values below zero shift the range to half
    below and half above it.
    """
    least, most = np.percentile(pixels, PERCENTILES) if pixels.size else (0.0, 0.0)
    if container <= 8 and not (declared and declared < container):
        declared, container = container, container + 1
    if declared is not None and 1 <= declared < container:
        low = -(2 ** (declared - 1)) if signed else 0
        if low <= least and most < low + 2**declared:
            return Depth(low, low + 2**declared - 1, DECLARED)
    if signed and least < 0:
        half = next((bits for bits in DEPTHS if -(2 ** (bits - 1)) <= least and most < 2 ** (bits - 1)), container)
        return Depth(-(2 ** (half - 1)), 2 ** (half - 1) - 1, MEASURED)
    bits = next((bits for bits in DEPTHS if most < 2**bits), container)
    return Depth(0, 2**bits - 1, MEASURED)


def depth_of_file(image: Any, pixels: np.ndarray, *, scaled_up: bool) -> Depth:
    """The range of the grey values (any shape) of an opened Pillow image of more than 8 bits.

    Where the format scales values up to 16 bits, or Pillow does, the range is all of these: portable grey maps and
    JPEG 2000 of fewer bits, and PNGs whose values go beyond their sBIT, as the standard demands (ISO/IEC 15948, 12.4).
    """
    full = Depth(0, 65535, DECLARED)
    if scaled_up:
        return full
    declared = declared_bits(image)
    if image.format == "PNG" and declared and pixels.size and np.percentile(pixels, PERCENTILES[1]) >= 2**declared:
        return full
    return depth_of(pixels, declared)


def to_grey(pixels: np.ndarray, low: float, high: float, *, inverted: bool = False) -> np.ndarray:
    """Values from `low` to `high` as uint8, 0 to 255, those beyond cut off; `inverted` where white is the lowest."""
    share = np.clip((np.asarray(pixels, np.float64) - low) / ((high - low) or 1), 0, 1)
    return np.rint((1 - share if inverted else share) * 255).astype(np.uint8)


def declared_bits(image: Any) -> int | None:
    """What an opened Pillow image says of its bits; None where it says nothing.

    PNG's sBIT; TIFF's MaxSampleValue, or bits of a sample where they are packed and fewer than 16.
    """
    if image.format == "PNG":
        significant = _chunk(image.filename, b"sBIT")  # one byte a channel
        return max(significant) if significant else None
    most = getattr(image, "tag_v2", {}).get(MAX_SAMPLE_VALUE)
    most = max(most) if isinstance(most, tuple) else most
    if most:
        return int(most).bit_length()
    return bits if image.format == "TIFF" and (bits := channel_bits(image)) < 16 else None


def is_scaled_up(image: Any) -> bool:
    """Whether an opened image's values are stretched from fewer bits to all 16 when Pillow decodes it; ask before."""
    if image.format == "PPM":
        args = image.tile[0].args if image.tile else ()
        return isinstance(args, tuple) and args[1:2] not in ((), (65535,))  # the decoder's, with the largest value
    if image.format == "JPEG2000":
        with open(image.filename, "rb") as file:
            head = file.read(HEADER)
        size = head.find(SIZ)  # ISO/IEC 15444-1, A.5.1: Ssiz is 40 bytes after the second
        return 0 <= size < len(head) - 42 and (head[size + 42] & 0x7F) + 1 < 16
    return False


def channel_bits(image: Any) -> int:
    """Bits of a channel in an opened image's file; of 16-bit colour Pillow keeps the upper 8."""
    if image.format == "PNG":
        header = _chunk(image.filename, b"IHDR")
        return header[8] if header else 8
    bits = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE, 8)
    return max(bits) if isinstance(bits, tuple) else int(bits)


def is_white_zero(image: Any) -> bool:
    """Whether an opened TIFF says that its lowest value is white, which Pillow heeds in 8 bits and not in 16."""
    return getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO


def _chunk(path: str, wanted: bytes) -> bytes | None:
    """The data of a PNG's first chunk of a kind before its pixels (ISO/IEC 15948, 5.3); None where there is none."""
    with open(path, "rb") as file:
        file.seek(len(PNG_SIGNATURE))
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == wanted:
                return file.read(length)
            if kind in (b"IDAT", b"IEND"):
                return None
            file.seek(length + 4, 1)
    return None
