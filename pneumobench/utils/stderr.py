"""Keeping what native libraries write to file descriptor 2 off the screen."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Catch what is written to file descriptor 2; replay it if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        screen = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(screen, 2)
            caught.seek(0)
            os.write(2, caught.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)
