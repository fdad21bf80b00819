"""DICOM's lookup tables and colours: how bright their values are, and colour frames in 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from pneumobench.data.depth import DEPTHS, to_grey

PALETTE = "PALETTE COLOR"
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")  # PS3.3, C.7.6.3.1.2


def table_bits(item: Any) -> int:
    """The bits that a lookup table's values have: those declared, or fewer where fewer hold all of them."""
    return _bits(item.LUTData, int(item.LUTDescriptor[2]))


def colour(dataset: Any, kind: str) -> tuple[np.ndarray, str]:
    """The first frame of a colour image (height, width, 3) uint8, and what decided the range of its values.

    Raises: ValueError for a kind of pixels that is not known.
    """
    from pydicom.pixels import apply_color_lut, pixel_array

    if kind == PALETTE:
        shown = apply_color_lut(pixel_array(dataset, index=0), dataset)
        tables = [dataset.get(f"{name}PaletteColorLookupTableData") for name in ("Red", "Green", "Blue")]
        declared = int(dataset.RedPaletteColorLookupTableDescriptor[2])
        bits = max(_bits(table, declared) for table in tables)
        return to_grey(shown[..., :3], 0, 2**bits - 1), "a lookup table"
    if kind not in COLOURS:
        raise ValueError(
            f"pixels of kind {kind} are not supported (MONOCHROME1 and 2, {PALETTE}, {', '.join(COLOURS)} are)"
        )
    shown = pixel_array(dataset, index=0)  # pydicom turns YBR into RGB
    bits = int(dataset.BitsStored)
    return to_grey(shown, 0, 2**bits - 1), f"{bits} bits declared" if bits != 8 else "8 bits"


def _bits(data: Any, declared: int) -> int:
    values = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.atleast_1d(np.asarray(data))
    most = int(values.max())
    return min(declared or 16, next((bits for bits in DEPTHS if most < 2**bits), 16))
