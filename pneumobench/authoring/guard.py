"""What a plugin's code may do to the process that runs it: raise, and nothing more."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pneumobench.errors import PluginError, Terminated

_LIBRARIES = tuple(str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib"))


@contextmanager
def guarded(plugin: str) -> Iterator[None]:
    """While a plugin's code runs: what would end the process (`sys.exit`, argparse) becomes that plugin's failure.

    Ctrl-C, SIGTERM and ordinary exceptions pass.
    Raises: PluginError that names the file and the line.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt, Terminated, GeneratorExit):
        raise
    except BaseException as error:
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise PluginError(
            f"{plugin} ends the process ({what}) at {_line(error)}; raise an exception instead"
        ) from error


def _line(error: BaseException) -> str:
    """The last line that an error passed through outside the libraries, as FILE:LINE."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not str(Path(frame.filename).resolve()).startswith(_LIBRARIES)]
    last = (own or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
