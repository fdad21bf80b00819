"""DICOM files, by pydicom (extra `dicom`): one frame as it is meant to be looked at, grey, 8 bits."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pneumobench.data.depth import depth_of, to_grey
from pneumobench.data.dicom_tables import colour, table_bits
from pneumobench.errors import DataError

MAX_PIXELS = 100_000_000  # of any image: a detector of 43 x 43 cm at 0.1 mm has 18.5 million
MAGIC, OFFSET = b"DICM", 128  # PS3.10, section 7.1: after a preamble of 128 bytes
BARE = {(2, 0), (8, 0), (8, 1), (8, 5), (8, 8), (8, 0x12), (8, 0x16)}  # first elements of files without a preamble
TYPES = (b"UL", b"CS", b"DA", b"UI")  # of these elements, where types are written
EXTREMES = np.array([-(2**31), 2**31 - 1], np.int64)  # beyond every stored value
CODECS = "`pip install 'pylibjpeg[all]'` or `pip install python-gdcm` brings a codec"
MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
PAIRS = (("RescaleSlope", "RescaleIntercept"), ("WindowCenter", "WindowWidth"))  # one without the other says nothing


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by its first bytes; a name such as IM0001, or a UID, tells nothing."""
    with path.open("rb") as file:
        return has_signature(file.read(OFFSET + len(MAGIC)))


def has_signature(head: bytes) -> bool:
    """Whether a file that begins with these bytes (132 of them) is DICOM, with a preamble or, as older ones, not."""
    return head[OFFSET:] == MAGIC or _is_bare(head)


def _is_bare(head: bytes) -> bool:
    if len(head) < 8 or struct.unpack("<HH", head[:4]) not in BARE:
        return False
    (length,) = struct.unpack("<I", head[4:8])
    return head[4:6] in TYPES or (length <= 128 and length % 2 == 0)


def too_large(width: int, height: int) -> None:
    """Raises: ValueError for more than MAX_PIXELS."""
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} is over the limit of {MAX_PIXELS:,} pixels")


def read(path: Path) -> Image.Image:
    """The first frame as an image of mode "L", rescaled, windowed, and black where the air is; colour as "RGB".

    The modality LUT and the file's VOI LUT or first window are applied (PS3.3, C.11.1 and C.11.2). Without either, the
    range is that of the stored bits (see `depth.depth_of`). MONOCHROME1, or an inverse presentation LUT, is inverted
    (C.11.6). Bits beyond the stored ones are overlays and are masked (PS3.5, 8.1.1); padding (C.7.5.1.1.2) is black.
    Elements that are present and empty count as absent. `info` holds "frames", and "depth", what decided the range.
    Raises: ValueError with a reason in a few words: no image inside, an unknown coding; DataError where the extra is
    missing, which is no fault of the image.
    """
    try:
        import pydicom
    except ImportError:
        raise DataError(f"reading {path} takes the extra: pip install 'pneumobench[dicom]'") from None
    try:
        with warnings.catch_warnings(action="ignore"):  # pydicom's, of what it bears with
            dataset = pydicom.dcmread(path, force=is_dicom(path))
            shown, depth = _shown(dataset)
        image = Image.fromarray(shown)
        image.info |= {"frames": int(dataset.get("NumberOfFrames") or 1), "depth": depth}
        return image
    except (OSError, MemoryError):  # the system failed, not the image
        raise
    except Exception as error:  # pydicom and its decoders raise many kinds
        if "missing dependencies" in str(error):  # said by pydicom in 300 letters, and cut before the package's name
            coding = dataset.file_meta.TransferSyntaxUID.name
            raise ValueError(f"its pixels are coded as {coding}; {CODECS}") from error
        raise ValueError(" ".join(str(error).split())[:300] or type(error).__name__) from error


def tags(path: Path, names: Sequence[str]) -> dict[str, str]:
    """The values of these tags in a file's header, as text, "" where there is none; the image is not read.

    Raises: what pydicom raises, of many kinds.
    """
    import pydicom

    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(names), force=True)
    return {name: str(header.get(name) or "").strip() for name in names}


def _shown(dataset: Any) -> tuple[np.ndarray, str]:
    """Grey (height, width) or colours (height, width, 3), uint8, and what decided their range."""
    from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array

    if not dataset.get("PixelData"):
        raise ValueError("it holds no pixels of whole numbers")  # a report, or floating point
    too_large(int(dataset.get("Columns") or 0), int(dataset.get("Rows") or 0))
    kind = dataset.get("PhotometricInterpretation") or ("RGB" if dataset.get("SamplesPerPixel") == 3 else MONOCHROME[1])
    dataset.PhotometricInterpretation = kind
    _complete(dataset)
    if kind not in MONOCHROME:
        return colour(dataset, kind)
    _drop_empty(dataset)
    stored = _stored(np.asarray(pixel_array(dataset, index=0, correct_unused_bits=False)), dataset)
    padding = _padding(stored, dataset)
    values = apply_modality_lut(stored, dataset)
    shown = np.asarray(apply_voi_lut(values, dataset), np.float64)
    if table := dataset.get("VOILUTSequence"):
        low, high, decided = 0.0, float(2 ** table_bits(table[0]) - 1), "a lookup table"
    elif "WindowWidth" in dataset:
        (low, high), decided = apply_voi_lut(EXTREMES, dataset), "a window"
    elif "ModalityLUTSequence" in dataset:
        low, high, decided = 0.0, float(2 ** table_bits(dataset.ModalityLUTSequence[0]) - 1), "a lookup table"
    else:
        signed = dataset.PixelRepresentation == 1
        depth = depth_of(stored[~padding], dataset.BitsStored, dataset.BitsAllocated, signed=signed)
        ends = np.array([depth.low, depth.high])
        low, high = sorted(np.asarray(apply_modality_lut(ends, dataset), np.float64))
        decided = str(depth)
    inverted = kind == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE"
    grey = to_grey(shown, low, high, inverted=inverted)
    grey[padding] = 0
    return grey, decided


def _complete(dataset: Any) -> None:
    """Fill in what older files leave out: how they are coded, as it was found when reading, and what grey implies."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if not dataset.file_meta.get("TransferSyntaxUID"):
        is_implicit, is_little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit
    if dataset.get("SamplesPerPixel") is None:
        dataset.SamplesPerPixel = 1
    if dataset.get("PixelRepresentation") is None:
        dataset.PixelRepresentation = 0
    if not dataset.get("BitsStored"):
        dataset.BitsStored = dataset.BitsAllocated


def _drop_empty(dataset: Any) -> None:
    """Take out what is there and says nothing: empty values, half a pair, a window or slope of zero, empty LUTs."""
    for names in PAIRS:
        if any(dataset.get(name) in (None, "") or _length(dataset.get(name)) == 0 for name in names):
            for name in names:
                dataset.pop(name, None)
    if "RescaleSlope" in dataset and float(dataset.RescaleSlope) == 0:  # every value would be the intercept
        dataset.pop("RescaleSlope")
        dataset.pop("RescaleIntercept")
    function = dataset.get("VOILUTFunction") or "LINEAR"
    if "WindowWidth" in dataset:
        width = dataset.WindowWidth[0] if _length(dataset.WindowWidth) is not None else dataset.WindowWidth
        if float(width) < (1 if function == "LINEAR" else 1e-9):
            dataset.pop("WindowWidth")
            dataset.pop("WindowCenter")
    if not dataset.get("VOILUTFunction"):
        dataset.pop("VOILUTFunction", None)
    for name in ("VOILUTSequence", "ModalityLUTSequence"):
        items = dataset.get(name)
        if items is not None and not (len(items) and items[0].get("LUTDescriptor") and items[0].get("LUTData")):
            dataset.pop(name)


def _length(value: Any) -> int | None:
    """How many values a multiple one has; None for a single one."""
    return len(value) if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else None


def _stored(pixels: np.ndarray, dataset: Any) -> np.ndarray:
    """The stored bits of each cell, int64: what lies above or below them is not the image's."""
    bits = int(dataset.BitsStored)
    high = dataset.get("HighBit")
    shift = max(0, int(bits - 1 if high is None else high) + 1 - bits)
    values = (pixels.astype(np.int64) >> shift) & (2**bits - 1)
    return np.where(values >= 2 ** (bits - 1), values - 2**bits, values) if dataset.PixelRepresentation else values


def _padding(stored: np.ndarray, dataset: Any) -> np.ndarray:
    """(height, width) bool: cells that hold the padding value, or lie between it and the padding's limit."""
    value, limit = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
    if value in (None, ""):
        return np.zeros(stored.shape, bool)
    ends = sorted((int(value), int(value if limit in (None, "") else limit)))
    return (stored >= ends[0]) & (stored <= ends[1])
