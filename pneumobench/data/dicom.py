"""DICOM files, by pydicom (extra `dicom`): one frame as it is meant to be looked at, grey, 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pneumobench.data.depth import DEPTHS, depth_of, to_grey
from pneumobench.errors import DataError

SUFFIXES = {".dcm", ".dicom", ".ima"}
MAGIC, OFFSET = b"DICM", 128  # PS3.10, section 7.1: after a preamble of 128 bytes
BARE = (b"\x02\x00", b"\x08\x00")  # how files begin that older archives wrote without a preamble: their first group
EXTREMES = np.array([-(2**31), 2**31 - 1], np.int64)  # beyond every stored value
MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
PAIRS = (("RescaleSlope", "RescaleIntercept"), ("WindowCenter", "WindowWidth"))  # one without the other says nothing


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by its first bytes; a name such as IM0001, or a UID, tells nothing."""
    with path.open("rb") as file:
        head = file.read(OFFSET + len(MAGIC))
    return head[OFFSET:] == MAGIC or (path.suffix.lower() in SUFFIXES and head[:2] in BARE)


def read(path: Path) -> Image.Image:
    """The first frame as an image of mode "L": rescaled, windowed, and black where the air is.

    The modality LUT and the file's VOI LUT or first window are applied (PS3.3, C.11.1 and C.11.2). Without either, the
    range is that of the stored bits (see `depth.depth_of`). MONOCHROME1, or an inverse presentation LUT, is inverted
    (C.11.6). Bits beyond the stored ones are overlays and are masked (PS3.5, 8.1.1); padding (C.7.5.1.1.2) is black.
    Elements that are present and empty count as absent.
    Raises: ValueError with a reason in a few words: no image inside, an unknown coding; DataError where the extra is
    missing, which is no fault of the image.
    """
    try:
        import pydicom
    except ImportError:
        raise DataError(f"reading {path} takes the extra: pip install 'pneumobench[dicom]'") from None
    try:
        dataset = pydicom.dcmread(path, force=path.suffix.lower() in SUFFIXES and is_dicom(path))
        return Image.fromarray(_shown(dataset))
    except OSError:
        raise
    except Exception as error:  # pydicom and its decoders raise many kinds
        raise ValueError(" ".join(str(error).split())[:300] or type(error).__name__) from error


def _shown(dataset: Any) -> np.ndarray:
    """Grey (height, width) uint8."""
    from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array

    kind = dataset.get("PhotometricInterpretation") or "MONOCHROME2"
    if kind not in MONOCHROME:
        raise ValueError(f"pixels of kind {kind} are not supported ({' and '.join(MONOCHROME)} are)")
    dataset.PhotometricInterpretation = kind
    _drop_empty(dataset)
    stored = _stored(np.asarray(pixel_array(dataset, index=0, correct_unused_bits=False)), dataset)
    padding = _padding(stored, dataset)
    values = apply_modality_lut(stored, dataset)
    shown = np.asarray(apply_voi_lut(values, dataset), np.float64)
    if table := dataset.get("VOILUTSequence"):
        low, high = 0.0, float(2 ** _table_bits(table[0]) - 1)
    elif "WindowWidth" in dataset:
        low, high = apply_voi_lut(EXTREMES, dataset)
    elif "ModalityLUTSequence" in dataset:
        low, high = 0.0, float(2 ** _table_bits(dataset.ModalityLUTSequence[0]) - 1)
    else:
        signed = dataset.PixelRepresentation == 1
        depth = depth_of(stored[~padding], dataset.BitsStored, dataset.BitsAllocated, signed=signed)
        ends = np.array([depth.low, depth.high])
        low, high = sorted(np.asarray(apply_modality_lut(ends, dataset), np.float64))
    inverted = kind == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE"
    grey = to_grey(shown, low, high, inverted=inverted)
    grey[padding] = 0
    return grey


def _drop_empty(dataset: Any) -> None:
    """Take out what is there and says nothing: empty values, half a pair, a window of no width, empty LUTs."""
    for names in PAIRS:
        if any(dataset.get(name) in (None, "") or _length(dataset.get(name)) == 0 for name in names):
            for name in names:
                dataset.pop(name, None)
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
    if dataset.get("PixelRepresentation") is None:
        dataset.PixelRepresentation = 0
    if not dataset.get("BitsStored"):
        dataset.BitsStored = dataset.BitsAllocated


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


def _table_bits(item: Any) -> int:
    """The bits that a lookup table's values have: those declared, or fewer where fewer hold all of them."""
    data = item.LUTData
    values = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.atleast_1d(np.asarray(data))
    declared, most = int(item.LUTDescriptor[2]), int(values.max())
    return min(declared or 16, next((bits for bits in DEPTHS if most < 2**bits), 16))
