"""DICOM files, by pydicom (extra `dicom`): one frame as it is meant to be looked at, grey, 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pneumobench.errors import DataError

SUFFIXES = {".dcm", ".dicom"}
MAGIC, OFFSET = b"DICM", 128  # PS3.10, section 7.1: after a preamble of 128 bytes
EXTREMES = np.array([-(2**31), 2**31 - 1], np.int64)  # beyond every stored value


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: by its suffix, and where it has none by its first bytes."""
    if path.suffix:
        return path.suffix.lower() in SUFFIXES
    with path.open("rb") as file:
        file.seek(OFFSET)
        return file.read(len(MAGIC)) == MAGIC


def read(path: Path) -> Image.Image:
    """The first frame as an image of mode "L": rescaled, windowed, and black where the air is.

    The modality LUT and the file's first VOI window or LUT are applied (PS3.3, C.11.1 and C.11.2); without
    either, the frame's own values span black to white. MONOCHROME1 is inverted.
    Raises: ValueError with a reason in a few words: no image inside, an unknown coding; DataError where the extra is
    missing, which is no fault of the image.
    """
    try:
        import pydicom
        from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array
    except ImportError:
        raise DataError(f"reading {path} takes the extra: pip install 'pneumobench[dicom]'") from None
    try:
        dataset = pydicom.dcmread(path)
        kind = dataset.get("PhotometricInterpretation")
        if kind not in ("MONOCHROME1", "MONOCHROME2"):
            raise ValueError(f"pixels of kind {kind} are not supported (MONOCHROME1 and MONOCHROME2 are)")
        pixels = pixel_array(dataset, index=0)
        shown = np.asarray(apply_voi_lut(apply_modality_lut(pixels, dataset), dataset), np.float64)
        if table := dataset.get("VOILUTSequence"):
            low, high = 0.0, 2.0 ** table[0].LUTDescriptor[2] - 1
        elif "WindowWidth" in dataset:
            low, high = apply_voi_lut(EXTREMES, dataset)
        else:
            low, high = shown.min(), shown.max()
    except OSError:
        raise
    except Exception as error:  # pydicom and its decoders raise many kinds
        raise ValueError(" ".join(str(error).split())[:120] or type(error).__name__) from error
    scaled = np.clip((shown - low) / ((high - low) or 1), 0, 1)
    return Image.fromarray(np.rint((1 - scaled if kind == "MONOCHROME1" else scaled) * 255).astype(np.uint8))
