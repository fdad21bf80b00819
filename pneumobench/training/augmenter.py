"""The processes of `Augmenters`, without Keras and the training: `python -m`, with the numbers of their connections.

The transforms come on standard input, pickled; everything is imported once, before the process divides.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection

from pneumobench.errors import PluginError, one_line
from pneumobench.training.augmentation import Augmentation, load_albumentations


def main() -> None:
    """Divide into one process for each connection; each ends when its connection does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training, which then closes the connections
    load_albumentations()
    try:
        augmentation = Augmentation(pickle.load(sys.stdin.buffer))
    except Exception:  # of a type that this process cannot import: the training goes on without us
        return
    descriptors = [int(word) for word in sys.argv[1:]]
    for place, descriptor in enumerate(descriptors):
        if os.fork() == 0:
            for other in descriptors[place + 1 :]:
                os.close(other)
            serve(Connection(descriptor), augmentation)
            return
        os.close(descriptor)
    for _ in descriptors:
        os.wait()


def serve(connection: Connection, augmentation: Augmentation) -> None:
    """Say that the transforms arrived, then answer batches until the other end is closed."""
    try:
        connection.send(True)
        while True:
            connection.send(_answer(augmentation, *connection.recv()))
    except (EOFError, OSError):
        return


def _answer(augmentation: Augmentation, *batch: object) -> object:
    """The augmented images, or what went wrong in words."""
    try:
        return augmentation(*batch)  # type: ignore[arg-type]
    except PluginError as error:
        return str(error)
    except Exception as error:
        return f"a transform of `augment` raises {type(error).__name__}: {one_line(error)}"


if __name__ == "__main__":
    main()
