"""What decoded pixels depend on besides a file's bytes: our own decoder, the libraries, and their codecs."""

from __future__ import annotations

import json
from importlib import metadata, util

from pneumobench.utils.hashing import text_hash

VERSION = 3  # raise it when the pixels that `decode.decode` returns change
LIBRARIES = (
    *("pillow", "pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "pyjpegls"),
    *("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless"),
)
CODECS = ("jpg", "jpg_2000", "libjpeg_turbo", "libtiff", "webp", "zlib", "zlib_ng")  # as Pillow names them


def version() -> str:
    """A word for a cache's key: what was decoded, or could not be, under another one is not used.

    It changes with our decoder, and with the versions, presence and absence of the libraries that decode.
    """
    return f"v{VERSION}-{text_hash(json.dumps(_installed()), 4)}"


def _installed() -> dict[str, str | None]:
    from PIL import features

    versions: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    versions["gdcm"] = "there" if util.find_spec("gdcm") else None  # distributions name it differently
    return versions | {name: features.version(name) if features.check(name) else None for name in CODECS}
