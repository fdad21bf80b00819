"""The user's settings of Keras, checked before it is imported: what it makes of unfit ones is an error far away."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

from pneumobench.errors import UsageError

BACKENDS = ("tensorflow", "jax")
WANTED = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}


def check() -> None:
    """Raises: UsageError for a backend other than BACKENDS, or a keras.json with other values than WANTED."""
    path = _folder() / "keras.json"
    written = _read(path)
    for name, value in WANTED.items():
        if written.get(name, value) != value:
            raise UsageError(f"{path} says {name} {written[name]!r}, pneumobench needs {value!r}; change or delete it")
    named = os.environ.get("KERAS_BACKEND")
    backend, where = (named, "KERAS_BACKEND") if named else (written.get("backend", BACKENDS[0]), f"backend in {path}")
    if backend not in BACKENDS:
        raise UsageError(f"{where} is {' or '.join(BACKENDS)}, not {backend!r}")
    if find_spec(backend) is None:
        raise UsageError(f"{where} is {backend}, which is not installed here; {' and '.join(BACKENDS)} are possible")


def _folder() -> Path:
    """Where Keras looks for keras.json."""
    if named := os.environ.get("KERAS_HOME"):
        return Path(named).expanduser()
    home = Path("~").expanduser()
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"


def _read(path: Path) -> dict[str, object]:
    try:
        written = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError):
        written = None
    if not isinstance(written, dict):
        raise UsageError(f"{path} holds Keras' settings as a JSON object, and cannot be read as one; delete or mend it")
    return written
