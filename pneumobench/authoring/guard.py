"""What a plugin's code may do to the process that runs it: raise, and nothing more."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pneumobench.authoring.restored import restored
from pneumobench.errors import PluginError, PneumobenchError, Terminated, text_of

_PACKAGE = Path(__file__).resolve().parent.parent
_LIBRARIES = (
    *(str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")),
    *(str(path) for path in _PACKAGE.iterdir() if path.name not in ("plugins", "studies")),
    "<",  # frozen modules, and code made of strings
)


@contextmanager
def guarded(plugin: str) -> Iterator[None]:
    """While a plugin's code runs: what would end the process (`sys.exit`, argparse) becomes that plugin's failure.

    Ctrl-C and SIGTERM pass, and ordinary exceptions with a note of the file and the line. What the code changed for
    the whole process is restored.
    Raises: PluginError that names the file and the line.
    """
    try:
        with restored():
            yield
    except (KeyboardInterrupt, Terminated, GeneratorExit, PneumobenchError):
        raise
    except EOFError as error:  # the command line takes it for Ctrl-D
        raise PluginError(f"{plugin} reads standard input at {_line(error)}, where nobody answers") from error
    except Exception as error:
        if not getattr(error, "__notes__", ()) and (line := _line(error, own=True)):
            error.add_note(f"{plugin}, {line}")
        raise
    except BaseException as error:
        what = f"{type(error).__name__}: {text_of(error)}".removesuffix(": ")
        raise PluginError(
            f"{plugin} ends the process ({what}) at {_line(error)}; raise an exception instead"
        ) from error


def _line(error: BaseException, own: bool = False) -> str:
    """The last line that an error passed through outside the libraries and this package, as FILE:LINE.

    With `own` "" where there is none, else the last line of all.
    """
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not str(Path(frame.filename).resolve()).startswith(_LIBRARIES)]
    if own and not theirs:
        return ""
    last = (theirs or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
